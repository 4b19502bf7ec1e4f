package main

import (
	"bufio"
	"encoding/json"
	"html"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func needCurl(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("no curl on PATH, and CI must not skip")
		}
		t.Skip("skipped: needs curl on PATH")
	}
}

// The lines with curl in the READMEs do what they say, typed as they stand there.
func TestCurlLinesOfTheReadmes(t *testing.T) {
	needCurl(t)
	s := startAlone(t)
	ada := s.guest("Ada")
	first := s.say(ada, "lobby", "hello from before")
	tried := 0
	for _, path := range []string{"README.md", "../README.md"} {
		for _, line := range blocks(t, path, "sh") {
			if !strings.Contains(line, "curl ") || !strings.Contains(line, "localhost:8080") {
				continue
			}
			tried++
			line = strings.ReplaceAll(line, "localhost:8080", s.host)
			line = strings.ReplaceAll(line, "1732281600000-0@…", first.Cursor)
			t.Run(line, func(t *testing.T) {
				script := line + "\n" + `echo "$TOKEN" >&2`
				if strings.Contains(line, "/events") {
					script = "exec " + line // so that to kill the shell is to kill curl
				}
				command := exec.CommandContext(t.Context(), "sh", "-c", script)
				command.Env = append(os.Environ(), "TOKEN="+ada.Token)
				if strings.Contains(line, "/events") {
					s.expectCurlFollows(t, command, ada, first)
				} else {
					expectCurlAnswers(t, command, line)
				}
			})
		}
	}
	if tried < 6 {
		t.Errorf("only %d lines with curl were found", tried)
	}
}

// So do those that a room shows, pasted one after the other.
func TestCurlLinesOfARoom(t *testing.T) {
	needCurl(t)
	s := startAlone(t)
	var script strings.Builder
	_, terminal, _ := strings.Cut(s.get("/r/lobby", "Accept: text/html").body, `id="terminal"`)
	terminal, _, _ = strings.Cut(terminal, "</div>")
	for _, line := range regexp.MustCompile(`<code>(.*?)</code>`).FindAllStringSubmatch(terminal, -1) {
		if !strings.Contains(line[1], "/events") { // It has no end.
			script.WriteString(html.UnescapeString(line[1]) + "\n")
		}
	}
	command := exec.CommandContext(t.Context(), "sh", "-c", script.String())
	command.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool { return strings.HasPrefix(variable, "TOKEN=") })
	expectCurlAnswers(t, command, "")
	if got := texts(s.history("lobby", "").Entries); !slices.Equal(got, []string{"hello"}) {
		t.Errorf("the room has %q", got)
	}
}

func expectCurlAnswers(t *testing.T, command *exec.Cmd, line string) {
	t.Helper()
	var told strings.Builder
	command.Stderr = &told
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %s%s", err, out, told.String())
	}
	if strings.HasPrefix(line, "TOKEN=") {
		if lines := strings.Fields(told.String()); len(lines) == 0 || strings.Count(lines[len(lines)-1], ".") != 4 {
			t.Errorf("no token: %q", told.String())
		}
		return
	}
	var stored posted
	if err := json.Unmarshal(out, &stored); err != nil || stored.ID == "" || stored.Key == "" {
		t.Errorf("%v in %s", err, out)
	}
}

func (s *testServer) expectCurlFollows(t *testing.T, command *exec.Cmd, ada testGuest, first posted) {
	t.Helper()
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	stop := func() { command.Process.Kill(); command.Wait() }
	defer stop()
	resumes := strings.Contains(strings.Join(command.Args, " "), "Last-Event-ID")
	lines, before, now := bufio.NewScanner(out), resumes, "hello, curl "+newKey()
	if resumes {
		s.say(ada, "lobby", now)
	}
	for lines.Scan() {
		switch {
		case !before && strings.Contains(lines.Text(), "hello from before"):
			before = true
			s.say(ada, "lobby", now)
		case before && strings.Contains(lines.Text(), now):
			return
		case resumes && strings.Contains(lines.Text(), first.ID+`","n"`):
			t.Errorf("it did not resume: %s", lines.Text())
		}
	}
	t.Errorf("curl ended: %v", lines.Err())
}
