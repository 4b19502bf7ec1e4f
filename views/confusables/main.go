// Command confusables writes the table with which the page recognises names that look alike. Its
// argument is confusables.txt of UTS 39, https://www.unicode.org/Public/security/latest/confusables.txt.
//
// It leaves out what names.js does by itself: compatibility characters, marks and case. It adds
// letters that UTS 39 takes for different in careful typography, but people do not: small
// capitals, letters in filled squares and circles, and Coptic.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/unicode/runenames"
)

const output = "static/js/people/confusables.js"

var (
	line        = regexp.MustCompile(`^([0-9A-F]+) ;\t([0-9A-F ]+) ;`)
	latinLetter = regexp.MustCompile(`(?:LETTER SMALL CAPITAL|D LATIN CAPITAL LETTER|INDICATOR SYMBOL LETTER) ([A-Z])$`)
	coptic      = regexp.MustCompile(`^COPTIC (?:CAPITAL|SMALL) LETTER ([A-Z]+)$`)
)

// greek has the letters from which Coptic took its own, by their Coptic names.
var greek = map[string]string{
	"ALFA": "α", "VIDA": "β", "GAMMA": "γ", "DALDA": "δ", "EIE": "ε", "ZATA": "ζ", "HATE": "η", "THETHE": "θ",
	"IAUDA": "ι", "KAPA": "κ", "LAULA": "λ", "MI": "μ", "NI": "ν", "KSI": "ξ", "O": "ο", "PI": "π", "RO": "ρ",
	"SIMA": "σ", "TAU": "τ", "UA": "υ", "FI": "φ", "KHI": "χ", "PSI": "ψ", "OOU": "ω",
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: confusables confusables.txt")
	}
	table, err := read(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		name := runenames.Name(r)
		if found := latinLetter.FindStringSubmatch(name); found != nil {
			table[r] = found[1]
		} else if found := coptic.FindStringSubmatch(name); found != nil && greek[found[1]] != "" {
			table[r] = greek[found[1]]
			if strings.Contains(name, "CAPITAL") {
				table[r] = strings.ToUpper(table[r])
			}
		}
	}
	like := make(map[string][]rune)
	for r := range table {
		if target := target(r, table); target != "" {
			like[target] = append(like[target], r)
		}
	}
	var lines []string
	for target, all := range like {
		slices.Sort(all)
		lines = append(lines, target+" "+string(all))
	}
	slices.Sort(lines)
	text := "// Made by views/confusables from the data of UTS 39. Each line has a text and the characters that look like it.\n" +
		"export default `" + strings.Join(lines, "\n") + "`;\n"
	if err := os.WriteFile(output, []byte(text), 0o644); err != nil {
		log.Fatal(err)
	}
}

// read returns the texts that look like each character.
func read(name string) (map[rune]string, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	table := make(map[rune]string)
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		found := line.FindStringSubmatch(lines.Text())
		if found == nil {
			continue
		}
		source, err := strconv.ParseInt(found[1], 16, 32)
		if err != nil {
			return nil, fmt.Errorf("line %q: %w", lines.Text(), err)
		}
		var text []rune
		for _, code := range strings.Fields(found[2]) {
			r, err := strconv.ParseInt(code, 16, 32)
			if err != nil {
				return nil, fmt.Errorf("line %q: %w", lines.Text(), err)
			}
			text = append(text, rune(r))
		}
		table[rune(source)] = string(text)
	}
	return table, lines.Err()
}

// target returns the text that r looks like, in lower case and without marks, or "" if names.js needs no entry for r.
func target(r rune, table map[rune]string) string {
	if r < 0x80 || norm.NFKD.String(string(r)) != string(r) || isDropped(r) {
		return ""
	}
	text := table[r]
	for range 3 { // a target may look like yet another text
		var next strings.Builder
		for _, r := range norm.NFKD.String(text) {
			if other, ok := table[r]; ok && r >= 0x80 {
				next.WriteString(other)
			} else if !isDropped(r) {
				next.WriteRune(r)
			}
		}
		text = next.String()
	}
	text = strings.ToLower(text)
	if text == strings.ToLower(string(r)) || strings.ContainsAny(text, "`\\$ \n") {
		return ""
	}
	return text
}

// isDropped reports whether names.js leaves r out of a skeleton.
func isDropped(r rune) bool { return unicode.In(r, unicode.M, unicode.Z, unicode.C, unicode.P) }
