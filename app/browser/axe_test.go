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
)

// axeCore is the checker of accessibility, as npm has it. It is for these tests
// alone, and 560 KB long, so it is fetched and not kept with the code.
const axeCore = "axe-core@4.14.1"

// axe is the source of axe-core, from the user's cache or else by npm.
var axe = sync.OnceValues(func() (string, error) {
	folder, err := os.UserCacheDir()
	if err != nil {
		folder = os.TempDir()
	}
	file := filepath.Join(folder, "burble", axeCore+".js")
	if source, err := os.ReadFile(file); err == nil {
		return string(source), nil
	}
	source, err := packed(axeCore, "package/axe.min.js")
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, source, 0o644)); err != nil {
		return "", err
	}
	return string(source), nil
})

// packed is a file of an npm package.
func packed(name, file string) ([]byte, error) {
	folder, err := os.MkdirTemp("", "npm")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	if out, err := exec.Command("npm", "pack", "--silent", "--pack-destination", folder, name).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("npm pack %s: %w\n%s", name, err, out)
	}
	archives, err := filepath.Glob(filepath.Join(folder, "*.tgz"))
	if err != nil || len(archives) != 1 {
		return nil, fmt.Errorf("npm packed %q: %w", archives, err)
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
			return nil, fmt.Errorf("look for %s in %s: %w", file, name, err)
		}
		if header.Name == file {
			return io.ReadAll(files)
		}
	}
}

// axe is what axe-core has to say against the page, all of it or only about contrast.
func (p *browserPerson) axe(source string, rules string) []string {
	p.t.Helper()
	if !see[bool](p, `"axe" in window`) {
		see[bool](p, source+`; true`)
	}
	return see[[]string](p, `axe.run({ resultTypes: ["violations"], `+rules+` }).then(({ violations }) => violations.flatMap(
		({ id, nodes }) => nodes.map(({ html, failureSummary }) => id + ": " + html.slice(0, 200) + " " + failureSummary)))`)
}

func TestAxeFindsNothing(t *testing.T) {
	t.Parallel()
	source, err := axe()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%v, and CI must not skip", err)
		}
		t.Skipf("skipped: %v", err)
	}
	newScene(t).visit(wide, narrow, func(p *browserPerson, what string, devices ...device) {
		check := func(with device, scheme, rules string) {
			p.looksWith(with, scheme)
			p.rests()
			for _, found := range p.axe(source, rules) {
				t.Errorf("%s, %s, %s: %s", what, with.name, scheme, found)
			}
		}
		for _, with := range devices {
			check(with, "light", `rules: { "target-size": { enabled: true } }`)
		}
		check(devices[0], "dark", `runOnly: ["color-contrast"]`)
	})
}
