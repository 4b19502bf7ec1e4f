package throttle

import "burble/app/limit"

const (
	// PreviewRate is how many link previews a user may request per second, with bursts of up to
	// PreviewBurst. Each may cause two requests to another site.
	PreviewRate  = 0.5
	PreviewBurst = 15
	// AddressPreviewsFactor is the factor by which the limits for one address are larger than those for one user.
	AddressPreviewsFactor = 4
)

// previews are the limits of link previews.
type previews struct{ perUser, perAddress *limit.Rate }

// newPreviews returns no limits if requests are not limited.
func newPreviews(requestRate float64) previews {
	if requestRate == 0 {
		return previews{}
	}
	return previews{limit.NewRate(PreviewRate, PreviewBurst), limit.NewRate(AddressPreviewsFactor*PreviewRate, AddressPreviewsFactor*PreviewBurst)}
}

// AllowPreview counts a request for a link preview.
func (l *Limits) AllowPreview(address, userID string) error {
	if err := allow(l.previews.perUser, userID, 1, "link previews"); err != nil {
		return err
	}
	return allow(l.previews.perAddress, address, 1, "link previews")
}
