package views

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestStaticImports(t *testing.T) {
	files := fstest.MapFS{
		"js/page/room.js": {Data: []byte(`
			import "./side-effect.js";
			import {
				one, two as second,
			} from "../net/connection.js";
			// import "./comment.js";
			const text = 'import "./text.js"';
			const later = () => import("./later.js");
			await later();`)},
		"js/page/side-effect.js":   {Data: []byte(`export { Chain as default } from "../net/chain.js";`)},
		"js/net/connection.js":     {Data: []byte(`import Chain, { id } from '../net/chain.js'; export const one = 1, two = 2;`)},
		"js/net/chain.js":          {Data: []byte(`import * as self from "./connection.js"; export * from "../../vendor/emoji-1.0/full.js"; export class Chain {}`)},
		"vendor/emoji-1.0/full.js": {Data: []byte(`export default {};`)},
		"js/page/later.js":         {Data: []byte(`import "./never.js";`)},
	}
	got := staticImports(files, "js/page/room.js")
	want := []string{"js/page/room.js", "js/net/chain.js", "js/net/connection.js", "js/page/side-effect.js", "vendor/emoji-1.0/full.js"}
	if !slices.Equal(got, want) {
		t.Errorf("staticImports: got %v, want %v", got, want)
	}
}

// importedModules is an independent implementation of staticImports. It finds import statements with a
// regular expression, which is enough for our modules.
func importedModules(t *testing.T, entry string) []string {
	t.Helper()
	imports := regexp.MustCompile(`(?m)^import [^;]*?"(\.\.?/[^"]+)";`)
	modules := []string{entry}
	for i := 0; i < len(modules); i++ {
		for _, found := range imports.FindAllSubmatch(readStatic(modules[i]), -1) {
			if name := path.Join(path.Dir(modules[i]), string(found[1])); !slices.Contains(modules, name) {
				modules = append(modules, name)
			}
		}
	}
	return modules
}

func TestPagesPreloadEveryModuleTheyImport(t *testing.T) {
	for page, script := range map[string]string{"home": homeScript, "room": roomScript} {
		html := render(t, page, pages[page].model)
		var got []string
		for _, found := range regexp.MustCompile(`rel=modulepreload href=/static/hash/([^>]+)>`).FindAllStringSubmatch(html, -1) {
			got = append(got, found[1])
		}
		want := importedModules(t, script)[1:]
		slices.Sort(want)
		if len(want) < 10 || !slices.Equal(got, want) {
			t.Errorf("preloads of %s.html: got\n%v, want\n%v", page, got, want)
		}
		if !strings.Contains(html, `<script type=module src="/static/hash/`+script+`">`) {
			t.Errorf("%s.html does not load %s", page, script)
		}
	}
}

func TestEveryImportedModuleIsServed(t *testing.T) {
	for _, name := range AssetNames() {
		if path.Ext(name) == ".js" {
			for _, module := range staticImports(static(), name) {
				if _, ok := FindAsset(module); !ok {
					t.Errorf("%s imports %s, which is not served", name, module)
				}
			}
		}
	}
}
