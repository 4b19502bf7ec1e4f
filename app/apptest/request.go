//go:build unix

package apptest

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"burble/app/client"
)

// httpClient does not reuse connections, because tests kill the servers.
var httpClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}

// Get sends a GET request. See Do for the headers and errors.
func (s *Server) Get(path string, headers ...string) (status int, body string) {
	return s.Do(http.MethodGet, path, "", headers...)
}

// Do sends a request. headers alternates names and values. If there is no response, Do returns status 0
// and the text of the error.
func (s *Server) Do(method, path, body string, headers ...string) (status int, response string) {
	url := s.URL()
	if url == "" {
		return 0, "not listening yet"
	}
	request, err := http.NewRequest(method, url+path, strings.NewReader(body))
	if err != nil {
		s.t.Error(err)
		return 0, err.Error()
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer, err := httpClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(text)
}

// Post posts a message with an idempotency key.
func (s *Server) Post(token, room, key, text string) (status int, response string) {
	body, _ := json.Marshal(map[string]string{"text": text})
	return s.Do(http.MethodPost, "/r/"+room+"/messages", string(body), "Content-Type", "application/json",
		"Authorization", "Bearer "+token, "Idempotency-Key", key)
}

// PostStored posts a message and returns its entry ID. The test fails if the server does not store it.
func (s *Server) PostStored(token, room, text string) (id string) {
	s.t.Helper()
	status, response := s.Post(token, room, client.NewKey(), text)
	if status != http.StatusCreated {
		s.t.Fatalf("POST /r/%s/messages: status %d, want 201: %s", room, status, response)
	}
	return PostedID(s.t, response)
}

// Metrics returns the server's metrics, which may be a second old. The key of a metric includes its labels.
func (s *Server) Metrics() map[string]float64 {
	s.t.Helper()
	status, text := s.Get("/metrics")
	if status != http.StatusOK {
		s.t.Fatalf("GET /metrics: status %d, want 200: %s", status, text)
	}
	metrics := make(map[string]float64)
	for line := range strings.Lines(text) {
		name, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		if value, err := strconv.ParseFloat(number, 64); err == nil {
			metrics[name] = value
		}
	}
	return metrics
}

// SignIn creates a guest with the name and returns its token.
func (s *Server) SignIn(name string) (token string) {
	s.t.Helper()
	body, _ := json.Marshal(map[string]string{"name": name})
	status, response := s.Do(http.MethodPost, "/session", string(body), "Content-Type", "application/json")
	var session struct{ Token string }
	if err := json.Unmarshal([]byte(response), &session); err != nil || status != http.StatusOK {
		s.t.Fatalf("POST /session: status %d, want 200: %s", status, response)
	}
	return session.Token
}

// PostedID returns the entry ID in a response to Post.
func PostedID(t testing.TB, response string) string {
	t.Helper()
	var posted struct{ ID, Cursor string }
	if err := json.Unmarshal([]byte(response), &posted); err != nil || !strings.HasPrefix(posted.Cursor, posted.ID+"@") {
		t.Errorf("response to a post: got %s, want an ID and its cursor", response)
	}
	return posted.ID
}
