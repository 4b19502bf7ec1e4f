package web

import (
	"bufio"
	"encoding/json"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"
)

// TestCurlCommandsInDocs runs the curl commands in the documents, in order, changing only the server's
// address. Later commands can use the variables that a command sets.
func TestCurlCommandsInDocs(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	apptest.FindProgram(t, "curl")
	for path, want := range map[string]int{"PROTOCOL.md": 4, "../README.md": 11} {
		t.Run(path, func(t *testing.T) {
			s := startOne(t, withFiles(t))
			shell := &docShell{server: s, user: s.signIn("Ada"), env: unset(os.Environ(), "TOKEN", "CURSOR", "FILE"), folder: t.TempDir()}
			if err := os.WriteFile(filepath.Join(shell.folder, "photo.png"), []byte(newPicture(t)), 0o600); err != nil {
				t.Fatal(err)
			}
			ran := 0
			for _, line := range apptest.CodeBlocks(t, path, "sh") {
				if strings.Contains(line, "curl ") && strings.Contains(line, "localhost:8080") {
					ran++
					shell.run(t, strings.ReplaceAll(line, "localhost:8080", s.host))
				}
			}
			if ran != want {
				t.Errorf("found %d curl commands, want %d", ran, want)
			}
		})
	}
}

// docShell runs the commands of one document.
type docShell struct {
	server *testServer
	user   testUser // posts the messages that a live read must output
	env    []string
	folder string // in which the commands run; has photo.png
}

// assignment matches a command that sets a variable.
var assignment = regexp.MustCompile(`^([A-Z]+)=`)

// run runs one command and checks its output.
func (d *docShell) run(t *testing.T, line string) {
	t.Helper()
	if strings.Contains(line, "lobby.ndjson") {
		d.export(t, line)
		return
	}
	if strings.Contains(line, "/events") {
		d.expectLiveRead(t, line)
		return
	}
	variable := assignment.FindStringSubmatch(line)
	if variable == nil {
		expectStored(t, d.output(t, line))
		return
	}
	value := d.output(t, line+"\n"+`printf %s "$`+variable[1]+`"`)
	d.env = append(d.env, variable[1]+"="+value)
	want := map[string]string{"TOKEN": `^1\.[\w-]+\.[\w-]+\.\d+\.[\w-]+$`, "CURSOR": `^\d+-\d+@\w+$`, "FILE": `^[A-Z2-7]{26}$`}[variable[1]]
	if want == "" || !regexp.MustCompile(want).MatchString(value) {
		t.Errorf("%s\nset %s to %q, want a match of %q", line, variable[1], value, want)
	}
}

// output runs a script and returns its standard output.
func (d *docShell) output(t *testing.T, script string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "sh", "-c", script)
	command.Env, command.Dir = d.env, d.folder
	var stderr strings.Builder
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s\n%v: %s%s", script, err, out, stderr.String())
	}
	return string(out)
}

// export runs a command that exports the entries or the files of a room.
func (d *docShell) export(t *testing.T, line string) {
	t.Helper()
	d.output(t, line+"; status=$?; test $status -eq 0 || test $status -eq 28") // 28: curl has received nothing for a while
	if !strings.Contains(line, "xargs") {
		return
	}
	exported, err := filepath.Glob(filepath.Join(d.folder, "export/f/lobby/*/0"))
	if err != nil || len(exported) != 1 {
		t.Fatalf("exported %v, want one file: %v", exported, err)
	}
	if content, err := os.ReadFile(exported[0]); err != nil || !strings.HasPrefix(string(content), "\x89PNG") {
		t.Errorf("the exported file begins with %.20q, %v; want a PNG", content, err)
	}
}

// expectLiveRead runs a command that reads a room forever. It must output the messages posted before
// and after it starts. With a Last-Event-ID, it must not output the message at that cursor.
func (d *docShell) expectLiveRead(t *testing.T, line string) {
	t.Helper()
	earlier, later := "earlier "+client.NewKey(), "later "+client.NewKey()
	resumes := strings.Contains(line, "Last-Event-ID")
	cursorID := ""
	for _, variable := range d.env {
		if cursor, ok := strings.CutPrefix(variable, "CURSOR="); ok {
			cursorID, _, _ = strings.Cut(cursor, "@")
		}
	}
	if resumes && cursorID == "" {
		t.Fatalf("%s\nuses a cursor that no earlier command set", line)
	}
	d.server.post(d.user, "lobby", earlier)

	command := exec.CommandContext(t.Context(), "sh", "-c", "exec "+line) // exec: killing the shell kills curl
	command.Env = d.env
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { command.Process.Kill(); command.Wait() }()
	lines, posted := bufio.NewScanner(out), false
	for lines.Scan() {
		text := lines.Text()
		switch {
		case resumes && strings.Contains(text, `"id":"`+cursorID+`"`):
			t.Errorf("%s\ndid not resume after its cursor: %s", line, text)
		case !posted && strings.Contains(text, earlier):
			posted = true
			d.server.post(d.user, "lobby", later)
		case posted && strings.Contains(text, later):
			return
		}
	}
	t.Errorf("%s\nended early: %v", line, lines.Err())
}

// expectStored checks that a response reports a stored message.
func expectStored(t *testing.T, body string) {
	t.Helper()
	var stored posted
	if err := json.Unmarshal([]byte(body), &stored); err != nil || stored.ID == "" || stored.Key == "" {
		t.Errorf("the response %q does not report a stored message: %v", body, err)
	}
}

// TestCurlCommandsOfARoomPage runs the commands on a room's page, in order.
func TestCurlCommandsOfARoomPage(t *testing.T) {
	t.Parallel()
	apptest.FindProgram(t, "curl")
	s := startOne(t)
	var script strings.Builder
	_, terminal, _ := strings.Cut(s.get("/r/lobby", "Accept: text/html").body, `id="terminal"`)
	terminal, _, _ = strings.Cut(terminal, "</div>")
	for _, line := range regexp.MustCompile(`<code[^>]*>(.*?)</code>`).FindAllStringSubmatch(terminal, -1) {
		if !strings.Contains(line[1], "/events") { // would never end
			script.WriteString(html.UnescapeString(line[1]) + "\n")
		}
	}
	shell := &docShell{server: s, env: unset(os.Environ(), "TOKEN")}
	expectStored(t, shell.output(t, script.String()))
	if got := texts(s.history("lobby", "").Entries); !slices.Equal(got, []string{"hello"}) {
		t.Errorf("the room contains %q, want one message", got)
	}
}

// unset returns the environment without the named variables.
func unset(env []string, names ...string) []string {
	return slices.DeleteFunc(env, func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(names, name)
	})
}
