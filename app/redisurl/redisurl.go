// Package redisurl converts REDIS_URL to an address, and connection errors to advice for the person who set the URL.
//
// Parse accepts these forms:
//
//	redis://user:password@host:6379/0          one server; rediss:// for TLS
//	unix://user:password@/path/to/socket?db=0  one server on a Unix socket
//	redis://host1:6379,redis://host2:6379      a Cluster; also ?cluster=true or ?addr=host2:6379
//	redis-sentinel://user:password@host1:26379,host2:26379/mymaster/0
//	redis://host1:26379?master_name=mymaster   Sentinel, in the form of redis.ParseFailoverURL
//
// Every form with TLS accepts ?skip_verify=true, which turns off certificate verification. On Heroku,
// where Redis has a self-signed certificate, this is the default for rediss://, and ?skip_verify=false
// turns verification back on.
//
// Descriptions and errors never contain the password, because they end up in logs. Errors do not quote
// the URL at all: if a password contains a slash that is not percent-encoded, parts of the password can
// end up in any other component of the URL.
//
// All functions are safe for concurrent use.
package redisurl

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"burble/streams/conns"
)

// Parse returns the address in rawURL and a one-line description for the log. onHeroku turns off certificate verification
// unless the URL turns it on.
//
// Errors are worded to follow "REDIS_URL: ".
func Parse(rawURL string, onHeroku bool) (address *conns.Address, description string, err error) {
	if rest, useTLS, ok := cutSentinelScheme(rawURL); ok {
		return parseSentinel(rest, useTLS, onHeroku)
	}
	if strings.Contains(rawURL, "master_name=") {
		return parseFailover(rawURL, onHeroku)
	}
	return parseServers(rawURL, onHeroku)
}

// parseServers parses the URL of a single server, or the URLs of a Cluster's nodes.
func parseServers(rawURLs string, onHeroku bool) (*conns.Address, string, error) {
	list := splitList(rawURLs)
	first, err := parseServer(list[0], onHeroku, "addr", "cluster")
	if err != nil {
		return nil, "", err
	}
	address := first.address
	for _, rawURL := range list[1:] {
		node, err := parseServer(rawURL, onHeroku)
		if err != nil {
			return nil, "", err
		}
		address.Addrs = append(address.Addrs, node.address.Addrs...)
	}
	address.Addrs = append(address.Addrs, first.extraOptions["addr"]...)
	isCluster, err := strconv.ParseBool(cmp.Or(first.extraOptions.Get("cluster"), "false"))
	if err != nil {
		return nil, "", errors.New("the option cluster must be true or false")
	}
	if isCluster || len(address.Addrs) > 1 {
		return finishCluster(first, address)
	}
	return address, "Redis at " + address.Addrs[0] + first.details(), nil
}

// splitList splits a list of URLs at the commas between them, but not at commas in passwords.
func splitList(list string) []string {
	list = strings.ReplaceAll(list, ", ", ",")
	list = strings.ReplaceAll(list, ",redis://", "\nredis://")
	list = strings.ReplaceAll(list, ",rediss://", "\nrediss://")
	return strings.Split(list, "\n")
}

// server is the parsed URL of one server.
type server struct {
	address      *conns.Address
	isUnix       bool       // whether the address is a Unix socket
	extraOptions url.Values // query options that go-redis does not support
	unverified   bool       // whether verification is off because this is Heroku
}

// libraryOptions are the query options that Parse passes on to go-redis. The other options of go-redis
// set pool sizes and timeouts, which Burble sets itself. Parse refuses them, because ignoring them
// silently would be misleading.
var libraryOptions = []string{"db", "protocol", "skip_verify"}

// parseServer parses the URL of one server. It accepts libraryOptions and the query options named in
// extra, which it moves to server.extraOptions.
func parseServer(rawURL string, onHeroku bool, extra ...string) (*server, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("not a valid URL; in a password, characters such as / : @ # % must be percent-encoded")
	}
	if err := checkServerURL(u); err != nil {
		return nil, err
	}
	s, query := &server{isUnix: u.Scheme == "unix", extraOptions: url.Values{}}, u.Query()
	for _, name := range extra {
		if query.Has(name) {
			s.extraOptions[name] = query[name]
			query.Del(name)
		}
	}
	for name := range query {
		if !slices.Contains(libraryOptions, name) {
			return nil, fmt.Errorf("unknown option after the question mark; this form of URL accepts %s",
				strings.Join(slices.Concat(libraryOptions, extra), ", "))
		}
	}
	s.unverified = onHeroku && u.Scheme == "rediss" && !query.Has("skip_verify")
	u.RawQuery = query.Encode()
	if s.address, err = conns.ParseURL(u.String()); err != nil { // not wrapped, because it quotes options
		return nil, errors.New("db must be a database number, protocol must be a number, and skip_verify (TLS only) must be true or false")
	}
	if s.unverified {
		s.address.TLSConfig.InsecureSkipVerify = true
	}
	return s, nil
}

// checkServerURL returns an error for URLs that go-redis would misinterpret, or would refuse with an
// error that quotes the URL.
func checkServerURL(u *url.URL) error {
	switch {
	case u.Scheme != "redis" && u.Scheme != "rediss" && u.Scheme != "unix":
		return errors.New("the scheme must be redis, rediss, unix, redis-sentinel or rediss-sentinel")
	case strings.Contains(u.Host, ","):
		return errors.New("each node of a Cluster needs a complete URL, as in redis://host1:6379,redis://host2:6379")
	case u.Scheme == "unix" && (u.Host != "" || strings.TrimSpace(u.Path) == ""):
		return errors.New("a Unix socket needs an absolute path and no host, as in unix:///run/redis/redis.sock")
	case u.Scheme != "unix" && strings.Trim(u.Path, "/0123456789") != "":
		return errors.New("only a database number may follow the host; in a password, characters such as / must be percent-encoded")
	}
	return nil
}

// details returns the part of the description after the address: TLS and the database, if any.
func (s *server) details() string {
	details := ""
	switch {
	case s.address.TLSConfig == nil:
	case s.unverified:
		details = ", TLS (certificate not verified: Heroku's is self-signed)"
	case s.address.TLSConfig.InsecureSkipVerify:
		details = ", TLS (certificate not verified: skip_verify)"
	default:
		details = ", TLS"
	}
	if s.address.DB != 0 {
		details += fmt.Sprintf(", database %d", s.address.DB)
	}
	return details
}

// finishCluster completes an address that already contains all nodes of a Cluster.
func finishCluster(first *server, address *conns.Address) (*conns.Address, string, error) {
	if address.DB != 0 {
		return nil, "", errors.New("a Cluster supports only database 0")
	}
	if first.isUnix {
		return nil, "", errors.New("a Cluster cannot use a Unix socket")
	}
	address.IsClusterMode = true
	clearServerName(address)
	return address, "Redis Cluster at " + strings.Join(address.Addrs, ", ") + first.details(), nil
}

// clearServerName makes TLS verify each node against its own host name. By default, go-redis verifies
// every node against the first node's host name.
func clearServerName(address *conns.Address) {
	if address.TLSConfig != nil {
		address.TLSConfig.ServerName = ""
	}
}
