package attachments_test

import (
	"os"
	"strings"
	"testing"

	"burble/streams/redistest"
)

// Everything works with only the Redis rights that the README of package streams lists.
func TestLeastRights(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../streams/README.md")
	if err != nil {
		t.Fatal(err)
	}
	redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
		rights := []any{"ACL", "SETUSER", "burble", "reset"}
		for line := range strings.Lines(string(readme)) {
			given, found := strings.CutPrefix(line, "ACL SETUSER burble ")
			given, when, _ := strings.Cut(given, "#")
			if found && (when == "" || backend.Redis.IsClusterMode && strings.Contains(when, "Cluster")) {
				for _, right := range strings.Fields(given) {
					rights = append(rights, right)
				}
			}
		}
		backend.DoOnEach(t, rights...)
		least := *backend.Redis
		least.Username, least.Password = "burble", "secret"
		backend.Redis = &least
		t.Cleanup(func() {
			for _, denied := range backend.Denied(t) {
				t.Errorf("Redis denied %s", denied)
			}
			backend.DoOnEach(t, "ACL", "DELUSER", "burble")
		})
		f := start(t, backend, openDirectory(t, t.TempDir()))
		message := f.send(f.upload(picture(1)))
		f.clean()
		f.expectNoLostObject()
		f.delete(message)
		f.clean()
		if left := f.objects(); len(left) > 0 {
			t.Errorf("%d objects are left, want none", len(left))
		}
		defer f.run()()
		f.upload(picture(2))
	})
}
