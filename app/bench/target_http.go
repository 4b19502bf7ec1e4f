//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// httpClient is for requests to a server on this machine.
var httpClient = &http.Client{Timeout: 30 * time.Second}

// requestJSON makes a request and decodes the JSON of its response.
func requestJSON(request *http.Request, into any) error {
	response, err := httpClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", request.Method, request.URL.Path, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}
