package pictures

// Occupy makes Process wait, as if a picture were being decoded, until the returned function is called.
func (p *Processor) Occupy() (leave func()) {
	p.decoding <- struct{}{}
	return func() { <-p.decoding }
}
