package main

import (
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// cutSentinelScheme tells a redis-sentinel:// URL, and returns what follows the scheme.
func cutSentinelScheme(given string) (rest string, tls, ok bool) {
	if rest, ok = strings.CutPrefix(given, "redis-sentinel://"); ok {
		return rest, false, true
	}
	rest, ok = strings.CutPrefix(given, "rediss-sentinel://")
	return rest, true, ok
}

// parseSentinelURL reads what follows redis-sentinel://, which is
//
//	[user:password@]host1[:26379],host2[:26379],…/<master name>[/<database>]
//
// The user and password are those of Redis itself. Sentinels have none as a rule; where
// they do, it stands in ?sentinel_username= and ?sentinel_password=. A list of hosts is
// no URL to [net/url], so it is made one of the first host with the others as ?addr=.
func parseSentinelURL(rest string, tls, onHeroku bool) (*redis.UniversalOptions, string, error) {
	rest, query, _ := strings.Cut(rest, "?")
	who := ""
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		who, rest = rest[:at+1], rest[at+1:]
	}
	hosts, path, _ := strings.Cut(rest, "/")
	name, database, _ := strings.Cut(path, "/")
	if hosts == "" || name == "" || strings.Contains(who, "/") {
		return nil, "", errors.New("a Sentinel URL is redis-sentinel://host1:26379,host2:26379/master-name; in a password, characters such as / must be percent-encoded")
	}
	addrs := strings.Split(hosts, ",")
	for i, addr := range addrs {
		addrs[i] = withPort(strings.TrimSpace(addr), "26379")
	}
	scheme := map[bool]string{false: "redis://", true: "rediss://"}[tls]
	first, err := parseOneRedisURL(scheme+who+addrs[0]+"/"+database+"?"+query, onHeroku, "sentinel_username", "sentinel_password")
	if err != nil {
		return nil, "", err
	}
	options := first.universal()
	options.Addrs = addrs
	options.SentinelUsername = first.own.Get("sentinel_username")
	options.SentinelPassword = first.own.Get("sentinel_password")
	return describeSentinel(first, options, name)
}

// parseFailoverURL reads Sentinel as redis.ParseFailoverURL does: the user and password
// before the host are the Sentinels', those of Redis are ?username= and ?password=.
func parseFailoverURL(given string, onHeroku bool) (*redis.UniversalOptions, string, error) {
	first, err := parseOneRedisURL(given, onHeroku, "master_name", "addr", "username", "password")
	if err != nil {
		return nil, "", err
	}
	options := first.universal()
	options.Addrs = append(options.Addrs, first.own["addr"]...)
	options.SentinelUsername, options.SentinelPassword = options.Username, options.Password
	options.Username, options.Password = first.own.Get("username"), first.own.Get("password")
	return describeSentinel(first, options, first.own.Get("master_name"))
}

// describeSentinel finishes the options: everything but the master's name is there.
func describeSentinel(first *oneRedisURL, options *redis.UniversalOptions, name string) (*redis.UniversalOptions, string, error) {
	if first.Network == "unix" || name == "" {
		return nil, "", errors.New("a Sentinel needs the name of a master, and cannot be on a Unix socket")
	}
	options.MasterName = name
	dropServerName(options)
	return options, "Redis " + name + " found by Sentinel at " + strings.Join(options.Addrs, ", ") + first.remarks(), nil
}

// withPort adds the port to a host that has none.
func withPort(host, port string) string {
	if strings.HasSuffix(host, "]") || !strings.Contains(host, ":") {
		return host + ":" + port
	}
	return host
}
