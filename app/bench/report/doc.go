// Package report formats the results of runs as tables and a chart, and checks requirements.
//
// A [Plan] is one workload for one target, with the [Result] of each of its runs. [Row] prints
// results in the columns of [Header], [Table] formats medians as Markdown, and [WriteChart] draws
// them as SVG. A [Requirement] is a claim about Burble. [Requirement.Check] compares it with the
// medians of its plans. Only WriteChart does I/O.
package report
