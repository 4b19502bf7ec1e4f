// Package rawjson encodes strings as JSON and splits JSON objects, several times as fast as encoding/json.
//
//	dst = rawjson.AppendField(dst, "text", "hello") // ,"text":"hello"
//	members, ok := rawjson.Members(data)            // map[string]string with the JSON of each value
//
// All functions are safe for concurrent use.
package rawjson
