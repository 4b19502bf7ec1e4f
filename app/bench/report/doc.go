// Package report turns what runs measured into tables, a chart and verdicts.
//
// A [Plan] is one workload for one target, with the [Result] of each of its runs. [Row] prints
// results under the columns of [Header], [Table] writes medians as Markdown, and [WriteChart]
// draws them as SVG. A [Requirement] is a claim about Burble, which [Requirement.Judge] compares
// with the medians of its plans. Apart from WriteChart, the package does no I/O.
package report
