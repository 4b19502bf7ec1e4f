// Package redisurl turns REDIS_URL into options for go-redis, and connection errors
// into advice for the person who set it.
//
// Parse accepts these forms:
//
//	redis://user:password@host:6379/0          one server; rediss:// for TLS
//	unix://user:password@/path/to/socket?db=0  one server on a Unix socket
//	redis://host1:6379,redis://host2:6379      a Cluster; also ?cluster=true or ?addr=host2:6379
//	redis-sentinel://user:password@host1:26379,host2:26379/mymaster/0
//	redis://host1:26379?master_name=mymaster   Sentinel, in the form of redis.ParseFailoverURL
//
// Any form with TLS takes ?skip_verify=true, which accepts every certificate. On Heroku,
// whose Redis has a self-signed certificate, rediss:// implies it; ?skip_verify=false
// turns verification back on.
//
// Logs are read by people who must not know the password, so neither a description nor
// an error contains it. An error does not quote the URL at all: a slash in a password
// that is not percent-encoded moves parts of the password into any other component.
//
// All functions are pure and safe for concurrent use.
package redisurl

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Parse returns the options that rawURL stands for, and a one-line description for the
// log. The options hold addresses, credentials, the database, the protocol version and
// TLS; pool sizes and timeouts are the caller's to set. onHeroku disables certificate
// verification unless the URL asks for it.
//
// Errors are phrased to follow "REDIS_URL: ".
func Parse(rawURL string, onHeroku bool) (options *redis.UniversalOptions, description string, err error) {
	if rest, useTLS, ok := cutSentinelScheme(rawURL); ok {
		return parseSentinel(rest, useTLS, onHeroku)
	}
	if strings.Contains(rawURL, "master_name=") {
		return parseFailover(rawURL, onHeroku)
	}
	return parseServers(rawURL, onHeroku)
}

// parseServers parses the URL of a single server, or the URLs of a Cluster's nodes.
func parseServers(rawURLs string, onHeroku bool) (*redis.UniversalOptions, string, error) {
	list := splitList(rawURLs)
	first, err := parseServer(list[0], onHeroku, "addr", "cluster")
	if err != nil {
		return nil, "", err
	}
	options := first.universalOptions()
	for _, rawURL := range list[1:] {
		node, err := parseServer(rawURL, onHeroku)
		if err != nil {
			return nil, "", err
		}
		options.Addrs = append(options.Addrs, node.Addr)
	}
	options.Addrs = append(options.Addrs, first.extraOptions["addr"]...)
	isCluster, err := strconv.ParseBool(cmp.Or(first.extraOptions.Get("cluster"), "false"))
	if err != nil {
		return nil, "", errors.New("the option cluster must be true or false")
	}
	if isCluster || len(options.Addrs) > 1 {
		return finishCluster(first, options)
	}
	return options, "Redis at " + options.Addrs[0] + first.details(), nil
}

// splitList splits a list of URLs at the commas between them, but not at a comma in a
// password.
func splitList(list string) []string {
	list = strings.ReplaceAll(list, ", ", ",")
	list = strings.ReplaceAll(list, ",redis://", "\nredis://")
	list = strings.ReplaceAll(list, ",rediss://", "\nrediss://")
	return strings.Split(list, "\n")
}

// server is the parsed URL of one server.
type server struct {
	*redis.Options
	extraOptions url.Values // query options that go-redis does not know
	unverified   bool       // the certificate is not verified because this is Heroku
}

// libraryOptions are the query options that go-redis parses. Its other ones set pool
// sizes and timeouts, which Burble sets itself. Parse refuses them: ignoring them
// silently would mislead.
var libraryOptions = []string{"db", "protocol", "skip_verify"}

// parseServer parses the URL of one server. It accepts libraryOptions and moves the
// query options named in extra to server.extra.
func parseServer(rawURL string, onHeroku bool, extra ...string) (*server, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("it is not a valid URL; in a password, characters such as / : @ # % must be percent-encoded")
	}
	if err := checkServerURL(u); err != nil {
		return nil, err
	}
	s, query := &server{extraOptions: url.Values{}}, u.Query()
	for _, name := range extra {
		if query.Has(name) {
			s.extraOptions[name] = query[name]
			query.Del(name)
		}
	}
	for name := range query {
		if !slices.Contains(libraryOptions, name) {
			return nil, fmt.Errorf("unknown option after the question mark; this form accepts %s",
				strings.Join(slices.Concat(libraryOptions, extra), ", "))
		}
	}
	s.unverified = onHeroku && u.Scheme == "rediss" && !query.Has("skip_verify")
	u.RawQuery = query.Encode()
	if s.Options, err = redis.ParseURL(u.String()); err != nil { // not wrapped: it quotes options
		return nil, errors.New("db must be the number of a database, protocol a number, and skip_verify, for TLS only, true or false")
	}
	if s.unverified {
		s.TLSConfig.InsecureSkipVerify = true
	}
	return s, nil
}

// checkServerURL refuses URLs that go-redis would misread, or refuse with an error that
// quotes them.
func checkServerURL(u *url.URL) error {
	switch {
	case u.Scheme != "redis" && u.Scheme != "rediss" && u.Scheme != "unix":
		return errors.New("the scheme must be redis, rediss, unix, redis-sentinel or rediss-sentinel")
	case strings.Contains(u.Host, ","):
		return errors.New("each node of a Cluster needs a whole URL, as in redis://host1:6379,redis://host2:6379")
	case u.Scheme == "unix" && (u.Host != "" || strings.TrimSpace(u.Path) == ""):
		return errors.New("a Unix socket has an absolute path and no host, as in unix:///run/redis/redis.sock")
	case u.Scheme != "unix" && strings.Trim(u.Path, "/0123456789") != "":
		return errors.New("only the number of a database may follow the host; in a password, characters such as / must be percent-encoded")
	}
	return nil
}

// universal converts the options to the type that Parse returns.
func (s *server) universalOptions() *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Addrs:     []string{s.Addr},
		Username:  s.Username,
		Password:  s.Password,
		DB:        s.DB,
		Protocol:  s.Protocol,
		TLSConfig: s.TLSConfig,
	}
}

// details returns the end of the description: TLS and the database, if any.
func (s *server) details() string {
	details := ""
	switch {
	case s.TLSConfig == nil:
	case s.unverified:
		details = ", TLS (certificate not verified: Heroku signs its own)"
	case s.TLSConfig.InsecureSkipVerify:
		details = ", TLS (certificate not verified: skip_verify)"
	default:
		details = ", TLS"
	}
	if s.DB != 0 {
		details += fmt.Sprintf(", database %d", s.DB)
	}
	return details
}

// finishCluster turns options that hold the addresses of the nodes into options for a
// Cluster.
func finishCluster(first *server, options *redis.UniversalOptions) (*redis.UniversalOptions, string, error) {
	if options.DB != 0 {
		return nil, "", errors.New("a Cluster has no database other than 0")
	}
	if first.Network == "unix" {
		return nil, "", errors.New("a Cluster cannot be on a Unix socket")
	}
	options.IsClusterMode = true
	clearServerName(options)
	return options, "Redis Cluster at " + strings.Join(options.Addrs, ", ") + first.details(), nil
}

// clearServerName makes TLS verify each node by its own host name. go-redis sets the
// name of the first host, which is wrong for the others.
func clearServerName(options *redis.UniversalOptions) {
	if options.TLSConfig != nil {
		options.TLSConfig.ServerName = ""
	}
}
