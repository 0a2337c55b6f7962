// Package labs holds the labs that labctl brings along: one folder each, with
// everything its learners meet. It imports nothing but embed.
package labs

import "embed"

// FS has each lab in a folder of its own, named after it.
//
//go:embed all:drift-lab all:snowflake-lab all:preprod-lab all:done-lab
var FS embed.FS
