//go:build unix

package browser

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"burble/streams/redistest"
)

// axePackage is the npm package of axe-core, which checks accessibility. It is 560 KB and only these
// tests use it, so they fetch it instead of vendoring it.
const axePackage = "axe-core@4.14.1"

// axeSource returns the source of axe-core from the user's cache, or else from npm.
var axeSource = sync.OnceValues(func() (string, error) {
	folder, err := os.UserCacheDir()
	if err != nil {
		folder = os.TempDir()
	}
	file := filepath.Join(folder, "burble", axePackage+".js")
	if source, err := os.ReadFile(file); err == nil {
		return string(source), nil
	}
	source, err := fetchNPM(axePackage, "package/axe.min.js")
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, source, 0o644)); err != nil {
		return "", err
	}
	return string(source), nil
})

// fetchNPM returns a file of an npm package.
func fetchNPM(name, file string) ([]byte, error) {
	folder, err := os.MkdirTemp("", "npm")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	fetch := exec.Command("npm", "pack", "--silent", "--fetch-retries=1", "--fetch-timeout=20000", "--pack-destination", folder, name)
	if out, err := fetch.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("npm pack %s: %w\n%s", name, err, out)
	}
	archives, err := filepath.Glob(filepath.Join(folder, "*.tgz"))
	if err != nil {
		return nil, err
	}
	if len(archives) != 1 {
		return nil, fmt.Errorf("npm pack %s made the archives %q, want one", name, archives)
	}
	archive, err := os.ReadFile(archives[0])
	if err != nil {
		return nil, err
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, err
	}
	for files := tar.NewReader(unzipped); ; {
		header, err := files.Next()
		if err != nil {
			return nil, fmt.Errorf("find %s in %s: %w", file, name, err)
		}
		if header.Name == file {
			return io.ReadAll(files)
		}
	}
}

// axe returns the violations that axe-core finds in the page. rules are fields of the options of
// axe.run.
func (u *user) axe(source, rules string) []string {
	u.t.Helper()
	if !eval[bool](u, `"axe" in window`) {
		eval[bool](u, source+`; true`)
	}
	return eval[[]string](u, `axe.run({ resultTypes: ["violations"], `+rules+` }).then(({ violations }) => violations.flatMap(
		({ id, nodes }) => nodes.map(({ html, failureSummary }) => id + ": " + html.slice(0, 200) + " " + failureSummary)))`)
}

func TestAxeFindsNoViolations(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	source, err := axeSource()
	if err != nil {
		skip(t, err)
	}
	newSample(t).tour(wide, narrow, func(u *user, state string, screens ...device) {
		check := func(screen device, scheme, rules string) {
			u.t.Helper()
			u.emulate(screen, scheme)
			u.waitAnimations()
			for _, violation := range u.axe(source, rules) {
				t.Errorf("%s, %s, %s: %s", state, screen.name, scheme, violation)
			}
		}
		for _, screen := range screens {
			check(screen, "light", `rules: { "target-size": { enabled: true } }`)
		}
		check(screens[0], "dark", `runOnly: ["color-contrast"]`)
	})
}
