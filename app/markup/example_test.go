package markup_test

import (
	"fmt"

	"burble/app/markup"
	"burble/streams"
)

func Example() {
	entry := &streams.Entry{Text: "**hi** <all>"}
	rendered := markup.HTML(entry)
	fmt.Println(rendered)
	fmt.Println(markup.Text(rendered))
	// Output:
	// <p><strong>hi</strong> &lt;all&gt;</p>
	// hi <all>
}
