package pictures

// Occupy makes Process wait, as if a picture were being decoded, until release is called.
func (p *Processor) Occupy() (release func()) {
	p.decoding <- struct{}{}
	return func() { <-p.decoding }
}
