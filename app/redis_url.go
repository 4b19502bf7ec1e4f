package main

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

// parseRedisURL reads REDIS_URL and describes in one line where it leads. It knows
//
//	redis://user:password@host:6379/0          one Redis; rediss:// with TLS
//	unix://user:password@/path/to/socket?db=0  the same, on a Unix socket
//	redis://host1:6379,redis://host2:6379      a Cluster; also ?cluster=true or ?addr=host2:6379
//	redis-sentinel://user:password@host1:26379,host2:26379/mymaster/0
//	redis://host1:26379?master_name=mymaster   Sentinel, as redis.ParseFailoverURL takes it
//
// and skip_verify=true on any with TLS. On Heroku, whose Redis has a certificate that
// it signed itself, that is the default for rediss:// unless the URL says otherwise.
//
// The error never quotes the URL or a part that could be a password: a password with a
// slash in it ends up in any part. Whoever reads the log must not learn it.
func parseRedisURL(given string, onHeroku bool) (*redis.UniversalOptions, string, error) {
	if rest, tls, ok := cutSentinelScheme(given); ok {
		return parseSentinelURL(rest, tls, onHeroku)
	}
	if strings.Contains(given, "master_name=") {
		return parseFailoverURL(given, onHeroku)
	}
	list := splitRedisURLs(given)
	first, err := parseOneRedisURL(list[0], onHeroku, "addr", "cluster")
	if err != nil {
		return nil, "", err
	}
	options := first.universal()
	for _, more := range list[1:] {
		other, err := parseOneRedisURL(more, onHeroku)
		if err != nil {
			return nil, "", err
		}
		options.Addrs = append(options.Addrs, other.Addr)
	}
	options.Addrs = append(options.Addrs, first.own["addr"]...)
	cluster, err := strconv.ParseBool(cmp.Or(first.own.Get("cluster"), "false"))
	if err != nil {
		return nil, "", errors.New("the option cluster must be true or false")
	}
	if cluster || len(options.Addrs) > 1 {
		return clusterOptions(first, options)
	}
	return options, "Redis at " + options.Addrs[0] + first.remarks(), nil
}

// splitRedisURLs splits a list of URLs at its commas, but not at one in a password.
func splitRedisURLs(list string) []string {
	list = strings.ReplaceAll(list, ", ", ",")
	list = strings.ReplaceAll(list, ",redis://", "\nredis://")
	list = strings.ReplaceAll(list, ",rediss://", "\nrediss://")
	return strings.Split(list, "\n")
}

// oneRedisURL is a URL as go-redis reads it, and the options that are ours to read.
type oneRedisURL struct {
	*redis.Options
	own    url.Values
	heroku bool // the certificate goes unchecked because this is Heroku
}

// libraryOptions are the options in a URL's query that are left to go-redis. Its many
// others are refused: they set sizes and timeouts, which streams.Open decides, and to
// ignore them in silence would be a lie.
var libraryOptions = []string{"db", "protocol", "skip_verify"}

// parseOneRedisURL reads a URL of one server. own are the options that its caller
// understands besides the library's.
func parseOneRedisURL(given string, onHeroku bool, own ...string) (*oneRedisURL, error) {
	u, err := url.Parse(given)
	if err != nil {
		return nil, errors.New("it cannot be read; in a password, characters such as / : @ # % must be percent-encoded")
	}
	if err := checkRedisURL(u); err != nil {
		return nil, err
	}
	one, query := &oneRedisURL{own: url.Values{}}, u.Query()
	for _, name := range own {
		if query.Has(name) {
			one.own[name] = query[name]
			query.Del(name)
		}
	}
	for name := range query {
		if !slices.Contains(libraryOptions, name) {
			return nil, fmt.Errorf("of options after the question mark only %s are known here",
				strings.Join(slices.Concat(libraryOptions, own), ", "))
		}
	}
	one.heroku = onHeroku && u.Scheme == "rediss" && !query.Has("skip_verify")
	u.RawQuery = query.Encode()
	if one.Options, err = redis.ParseURL(u.String()); err != nil {
		return nil, err
	}
	if one.heroku {
		one.TLSConfig.InsecureSkipVerify = true
	}
	return one, nil
}

// checkRedisURL refuses what go-redis would misread or quote in its error.
func checkRedisURL(u *url.URL) error {
	switch {
	case u.Scheme != "redis" && u.Scheme != "rediss" && u.Scheme != "unix":
		return errors.New("the scheme must be redis, rediss, unix, redis-sentinel or rediss-sentinel")
	case strings.Contains(u.Host, ","):
		return errors.New("each node of a Cluster needs a whole URL, as in redis://host1:6379,redis://host2:6379")
	case u.Scheme == "unix" && u.Host != "":
		return errors.New("a Unix socket has an absolute path and no host, as in unix:///run/redis/redis.sock")
	case u.Scheme != "unix" && strings.Trim(u.Path, "/0123456789") != "":
		return errors.New("after the host there may be only the number of a database; in a password, characters such as / must be percent-encoded")
	}
	return nil
}

// universal returns the options that say where and who.
func (one *oneRedisURL) universal() *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Addrs:     []string{one.Addr},
		Username:  one.Username,
		Password:  one.Password,
		DB:        one.DB,
		Protocol:  one.Protocol,
		TLSConfig: one.TLSConfig,
	}
}

// remarks are what the log should say besides the address.
func (one *oneRedisURL) remarks() string {
	remarks := ""
	switch {
	case one.TLSConfig == nil:
	case one.heroku:
		remarks = ", TLS (certificate not checked: Heroku signs its own)"
	case one.TLSConfig.InsecureSkipVerify:
		remarks = ", TLS (certificate not checked: skip_verify)"
	default:
		remarks = ", TLS"
	}
	if one.DB != 0 {
		remarks += fmt.Sprintf(", database %d", one.DB)
	}
	return remarks
}

// clusterOptions makes options for one server into options for a Cluster, whose other
// nodes they also lead to.
func clusterOptions(first *oneRedisURL, options *redis.UniversalOptions) (*redis.UniversalOptions, string, error) {
	if options.DB != 0 {
		return nil, "", errors.New("a Cluster has no other database than 0")
	}
	if first.Network == "unix" {
		return nil, "", errors.New("a Cluster cannot be on a Unix socket")
	}
	options.IsClusterMode = true
	dropServerName(options)
	return options, "Redis Cluster at " + strings.Join(options.Addrs, ", ") + first.remarks(), nil
}

// dropServerName lets each node be checked by its own name. go-redis puts the first
// host's name there, which is no other node's.
func dropServerName(options *redis.UniversalOptions) {
	if options.TLSConfig != nil {
		options.TLSConfig.ServerName = ""
	}
}
