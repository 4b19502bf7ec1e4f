package attachments

import (
	"sync/atomic"

	"burble/app/protocol"

	"github.com/prometheus/client_golang/prometheus"
)

// refusedCodes are the error codes by which refused uploads are counted. Any other code counts as Unavailable.
var refusedCodes = []protocol.Code{protocol.Full, protocol.TooLarge, protocol.BadField, protocol.NotFound, protocol.NotAllowed, protocol.Unavailable}

// refusals counts refused uploads.
type refusals map[protocol.Code]*atomic.Int64

func newRefusals() refusals {
	r := make(refusals)
	for _, code := range refusedCodes {
		r[code] = new(atomic.Int64)
	}
	return r
}

func (r refusals) count(err *protocol.Error) {
	counter, known := r[err.Code]
	if !known {
		counter = r[protocol.Unavailable]
	}
	counter.Add(1)
}

// Collectors returns the Service's Prometheus metrics. All of them start at 0.
func (s *Service) Collectors() []prometheus.Collector {
	counter := func(name, help string, value *atomic.Int64, labels prometheus.Labels) prometheus.Collector {
		opts := prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}
		return prometheus.NewCounterFunc(opts, func() float64 { return float64(value.Load()) })
	}
	collectors := []prometheus.Collector{
		counter("burble_uploads_total", "Files uploaded to this process.", &s.uploads, nil),
		counter("burble_upload_bytes_total", "Bytes that this process has written to file storage.", &s.storedBytes, nil),
		counter("burble_objects_removed_total", "Objects that this process has removed from file storage.", &s.removed, nil),
	}
	for _, code := range refusedCodes {
		collectors = append(collectors, counter("burble_uploads_refused_total", "Uploads that this process has refused.", s.refused[code], prometheus.Labels{"code": string(code)}))
	}
	return collectors
}
