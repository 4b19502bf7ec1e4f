package chat

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"burble/streams"
	"burble/streams/fold"
)

// maxHighlights is the maximum number of matches of each term that Matches returns for a message.
const maxHighlights = 20

// searchTerms is a folded query.
type searchTerms struct {
	words    []string // and phrases
	from     string
	fromUser string // not folded
}

func (q *Query) terms() searchTerms {
	return searchTerms{words: splitQuery(q.Text), from: fold.String(q.From), fromUser: q.From}
}

// IsEmpty reports whether the query has nothing to search for.
func (q *Query) IsEmpty() bool { return len(splitQuery(q.Text)) == 0 && fold.String(q.From) == "" }

// splitQuery returns the folded words and "phrases" of a query. An unclosed phrase extends to the end of
// the query.
func splitQuery(query string) (terms []string) {
	for i, part := range strings.Split(fold.String(query), `"`) {
		if isPhrase := i%2 == 1; !isPhrase {
			terms = append(terms, strings.Fields(part)...)
		} else if part = strings.TrimSpace(part); part != "" {
			terms = append(terms, part)
		}
	}
	return terms
}

// match reports whether a message is by the author and contains every term, in its text or in the name or the
// description of a file.
func (t *searchTerms) match(entry *streams.Entry) bool {
	if entry.Deleted || t.from != "" && t.fromUser != entry.User.ID && t.from != fold.String(entry.User.Name) {
		return false
	}
	if len(t.words) == 0 {
		return true
	}
	texts := []fold.Text{fold.Map(entry.Text)}
	for i := range entry.Files {
		texts = append(texts, fold.Map(entry.Files[i].Name), fold.Map(entry.Files[i].Alt))
	}
	for _, word := range t.words {
		if !slices.ContainsFunc(texts, func(text fold.Text) bool { return len(text.Find(word, 1)) > 0 }) {
			return false
		}
	}
	return true
}

// find returns the ranges of text that match a term, in characters. They do not overlap.
func (t *searchTerms) find(text string) (places [][2]int) {
	folded := fold.Map(text)
	for _, word := range t.words {
		places = append(places, folded.Find(word, maxHighlights)...)
	}
	slices.SortFunc(places, func(a, b [2]int) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(b[1], a[1])) })
	merged := places[:0]
	for _, place := range places {
		if last := len(merged) - 1; last >= 0 && place[0] < merged[last][1] {
			merged[last][1] = max(merged[last][1], place[1])
		} else {
			merged = append(merged, place)
		}
	}
	at, characters := 0, 0
	for i := range merged {
		for side := range merged[i] {
			characters += utf8.RuneCountInString(text[at:merged[i][side]])
			at, merged[i][side] = merged[i][side], characters
		}
	}
	return merged
}
