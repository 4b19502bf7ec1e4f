package redisurl

import (
	"errors"
	"strings"

	"burble/streams/conns"
)

// cutSentinelScheme removes redis-sentinel:// or rediss-sentinel:// from the start of rawURL. ok
// reports whether rawURL has either prefix.
func cutSentinelScheme(rawURL string) (rest string, useTLS, ok bool) {
	if rest, ok = strings.CutPrefix(rawURL, "redis-sentinel://"); ok {
		return rest, false, true
	}
	rest, ok = strings.CutPrefix(rawURL, "rediss-sentinel://")
	return rest, true, ok
}

// parseSentinel parses the part of a Sentinel URL after the scheme:
//
//	[user:password@]host1[:26379],host2[:26379],…/<master name>[/<database>]
//
// The user and password are for Redis. Credentials for the Sentinels, which are rare, are in
// ?sentinel_username= and ?sentinel_password=. parseServer parses only the first host, because
// [net/url] does not accept a list of hosts.
func parseSentinel(rest string, useTLS, onHeroku bool) (*conns.Address, string, error) {
	rest, query, _ := strings.Cut(rest, "?")
	credentials := ""
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		credentials, rest = rest[:at+1], rest[at+1:]
	}
	hosts, path, _ := strings.Cut(rest, "/")
	master, database, _ := strings.Cut(path, "/")
	if hosts == "" || master == "" || strings.Contains(credentials, "/") {
		return nil, "", errors.New("a Sentinel URL has the form redis-sentinel://host1:26379,host2:26379/master-name; in a password, characters such as / must be percent-encoded")
	}
	addrs := strings.Split(hosts, ",")
	for i, addr := range addrs {
		addrs[i] = withPort(strings.TrimSpace(addr), "26379")
	}
	scheme := "redis://"
	if useTLS {
		scheme = "rediss://"
	}
	first, err := parseServer(scheme+credentials+addrs[0]+"/"+database+"?"+query, onHeroku, "sentinel_username", "sentinel_password")
	if err != nil {
		return nil, "", err
	}
	address := first.address
	address.Addrs = addrs
	address.SentinelUsername = first.extraOptions.Get("sentinel_username")
	address.SentinelPassword = first.extraOptions.Get("sentinel_password")
	return finishSentinel(first, address, master)
}

// parseFailover parses the form of redis.ParseFailoverURL. Unlike in parseSentinel, the credentials
// before the host are for the Sentinels. The credentials for Redis are in ?username= and ?password=.
func parseFailover(rawURL string, onHeroku bool) (*conns.Address, string, error) {
	first, err := parseServer(rawURL, onHeroku, "master_name", "addr", "username", "password")
	if err != nil {
		return nil, "", err
	}
	address := first.address
	address.Addrs = append(address.Addrs, first.extraOptions["addr"]...)
	address.SentinelUsername, address.SentinelPassword = address.Username, address.Password
	address.Username, address.Password = first.extraOptions.Get("username"), first.extraOptions.Get("password")
	return finishSentinel(first, address, first.extraOptions.Get("master_name"))
}

// finishSentinel adds the name of the master to an otherwise complete address.
func finishSentinel(first *server, address *conns.Address, master string) (*conns.Address, string, error) {
	if first.isUnix || master == "" {
		return nil, "", errors.New("a Sentinel URL needs the name of a master and cannot use a Unix socket")
	}
	address.MasterName = master
	clearServerName(address)
	return address, "Redis " + master + " found by Sentinel at " + strings.Join(address.Addrs, ", ") + first.details(), nil
}

// withPort appends the default port to a host without one.
func withPort(host, port string) string {
	if strings.HasSuffix(host, "]") || !strings.Contains(host, ":") {
		return host + ":" + port
	}
	return host
}
