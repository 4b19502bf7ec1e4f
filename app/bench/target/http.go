//go:build linux

package target

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// HTTPClient is for requests to a server on this machine.
var HTTPClient = &http.Client{Timeout: 30 * time.Second}

// RequestJSON makes a request and decodes the JSON of its response.
func RequestJSON(request *http.Request, into any) error {
	response, err := HTTPClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", request.Method, request.URL.Path, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}
