package redisurl_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"burble/app/redisurl"
	"burble/streams/conns"
)

func ExampleParse() {
	address, description, err := redisurl.Parse("redis://:open-sesame@localhost/1", false)
	if err != nil {
		fmt.Println("REDIS_URL:", err)
		return
	}
	fmt.Println(address.Addrs, address.DB)
	fmt.Println(description)
	// Output:
	// [localhost:6379] 1
	// Redis at localhost:6379, database 1
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rawURL, description string
		want                conns.Address
	}{
		{
			"redis://localhost", "Redis at localhost:6379",
			conns.Address{Addrs: []string{"localhost:6379"}},
		},
		{
			"redis://ada:p%40ss@host:1/2?protocol=2", "Redis at host:1, database 2",
			conns.Address{Addrs: []string{"host:1"}, Username: "ada", Password: "p@ss", DB: 2, Protocol: 2},
		},
		{
			"unix://:pw@/run/redis.sock?db=3", "Redis at /run/redis.sock, database 3",
			conns.Address{Addrs: []string{"/run/redis.sock"}, Password: "pw", DB: 3},
		},
		{
			"redis://u:p@a:1,redis://b:2, redis://[::1]", "Redis Cluster at a:1, b:2, [::1]:6379",
			conns.Address{Addrs: []string{"a:1", "b:2", "[::1]:6379"}, Username: "u", Password: "p", IsClusterMode: true},
		},
		{
			"redis://:a,b@host", "Redis at host:6379",
			conns.Address{Addrs: []string{"host:6379"}, Password: "a,b"},
		},
		{
			"redis://a:1?cluster=true", "Redis Cluster at a:1",
			conns.Address{Addrs: []string{"a:1"}, IsClusterMode: true},
		},
		{
			"redis://a:1?addr=b:2&addr=c:3", "Redis Cluster at a:1, b:2, c:3",
			conns.Address{Addrs: []string{"a:1", "b:2", "c:3"}, IsClusterMode: true},
		},
		{
			"redis-sentinel://u:p@s1,s2:2/mymaster/4", "Redis mymaster found by Sentinel at s1:26379, s2:2, database 4",
			conns.Address{Addrs: []string{"s1:26379", "s2:2"}, Username: "u", Password: "p", DB: 4, MasterName: "mymaster"},
		},
		{
			"redis-sentinel://s1/m?sentinel_username=su&sentinel_password=sp", "Redis m found by Sentinel at s1:26379",
			conns.Address{Addrs: []string{"s1:26379"}, SentinelUsername: "su", SentinelPassword: "sp", MasterName: "m"},
		},
		{
			"redis://su:sp@s1:1/5?master_name=m&addr=s2:2&username=u&password=p", "Redis m found by Sentinel at s1:1, s2:2, database 5",
			conns.Address{
				Addrs: []string{"s1:1", "s2:2"}, SentinelUsername: "su", SentinelPassword: "sp", Username: "u", Password: "p", DB: 5, MasterName: "m",
			},
		},
	}
	for _, test := range tests {
		t.Run(test.rawURL, func(t *testing.T) {
			t.Parallel()
			got, description, err := redisurl.Parse(test.rawURL, true)
			if err != nil {
				t.Fatal(err)
			}
			if description != test.description {
				t.Errorf("description %q, want %q", description, test.description)
			}
			if !equalOptions(got, &test.want) {
				t.Errorf("\ngot  %+v\nwant %+v", got, &test.want)
			}
		})
	}
}

// equalOptions compares all fields that Parse sets. It returns false if either uses TLS.
func equalOptions(a, b *conns.Address) bool {
	return strings.Join(a.Addrs, " ") == strings.Join(b.Addrs, " ") && a.Username == b.Username && a.Password == b.Password &&
		a.DB == b.DB && a.Protocol == b.Protocol && a.MasterName == b.MasterName && a.IsClusterMode == b.IsClusterMode &&
		a.SentinelUsername == b.SentinelUsername && a.SentinelPassword == b.SentinelPassword && a.TLSConfig == nil && b.TLSConfig == nil
}

func TestParseWithTLS(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, rawURL   string
		onHeroku       bool
		wantSkipVerify bool
		wantServerName string
		wantDescribed  string
	}{
		{"verified", "rediss://host:1", false, false, "host", "TLS"},
		{"unverified on request", "rediss://host:1?skip_verify=true", false, true, "host", "skip_verify"},
		{"unverified on Heroku", "rediss://host:1", true, true, "host", "Heroku"},
		{"verified on Heroku on request", "rediss://host:1?skip_verify=false", true, false, "host", "TLS"},
		{"Cluster: each node by its own name", "rediss://a:1,rediss://b:1", false, false, "", "TLS"},
		{"Sentinel: each node by its own name", "rediss-sentinel://a,b/m", false, false, "", "TLS"},
		{"Sentinel unverified", "rediss-sentinel://a,b/m?skip_verify=true", false, true, "", "skip_verify"},
		{"Sentinel in the form of go-redis", "rediss://a?master_name=m", false, false, "", "TLS"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, description, err := redisurl.Parse(test.rawURL, test.onHeroku)
			if err != nil {
				t.Fatal(err)
			}
			if got.TLSConfig == nil || got.TLSConfig.InsecureSkipVerify != test.wantSkipVerify || got.TLSConfig.ServerName != test.wantServerName {
				t.Errorf("TLS config %+v, want InsecureSkipVerify %v and ServerName %q", got.TLSConfig, test.wantSkipVerify, test.wantServerName)
			}
			if !strings.Contains(description, test.wantDescribed) {
				t.Errorf("description %q does not mention %q", description, test.wantDescribed)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ rawURL, wantInError string }{
		{"localhost:6379", "scheme"},
		{"http://localhost", "scheme"},
		{"redis://a:1,b:2", "complete URL"},
		{"redis://a:b", "not a valid URL"},
		{"redis://a/x", "database number"},
		{"redis://a?pool_size=50", "db, protocol, skip_verify, addr, cluster"},
		{"redis://a?cluster=perhaps", "true or false"},
		{"redis://a?username=u", "unknown option"},
		{"redis://a?db=x", "database"},
		{"redis://a/99999999999999999999", "database"},
		{"redis://a?skip_verify=true", "TLS only"},
		{"unix:///a?skip_verify=true", "TLS only"},
		{"redis://a/1,redis://b", "database"},
		{"redis://a,http://b", "complete URL"},
		{"redis://a,redis://b:x", "not a valid URL"},
		{"unix://run/redis.sock", "unix:///run"},
		{"unix://", "path"},
		{"unix:///a?cluster=true", "Unix socket"},
		{"unix:///a?master_name=m", "Unix socket"},
		{"redis-sentinel://a", "redis-sentinel://host1"},
		{"redis-sentinel:///m", "redis-sentinel://host1"},
		{"redis-sentinel://a/m/x", "database number"},
		{"redis-sentinel://a/m?cluster=true", "unknown option"},
		{"redis://a?master_name=", "master"},
	}
	for _, test := range tests {
		t.Run(test.rawURL, func(t *testing.T) {
			t.Parallel()
			got, _, err := redisurl.Parse(test.rawURL, false)
			if err == nil || !strings.Contains(err.Error(), test.wantInError) {
				t.Errorf("got %+v, error %v, want an error with %q", got, err, test.wantInError)
			}
		})
	}
}

func TestAdvice(t *testing.T) {
	t.Parallel()
	var notTLS error = tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}
	for name, test := range map[string]struct {
		rawURL string
		err    error
		want   string
	}{
		"plain text instead of TLS":                  {"rediss://:pw@h", notTLS, "write redis:// instead of rediss://"},
		"no answer to TLS":                           {"rediss://:pw@h", context.DeadlineExceeded, "write redis:// instead of rediss://"},
		"TLS instead of plain text":                  {"redis://:pw@h", io.EOF, "write rediss:// instead of redis://"},
		"no password":                                {"redis://h", errors.New("NOAUTH Authentication required."), "redis://:password@host"},
		"wrong password":                             {"redis://:pw@h", errors.New("WRONGPASS invalid username-password pair"), "redis://:password@host"},
		"missing permissions":                        {"redis://:pw@h", errors.New("NOPERM this user has no permissions"), "streams/README.md"},
		"missing permissions in a script, Redis 7.0": {"redis://:pw@h", errors.New("ERR The user executing the script can't run this command or subcommand script: 1, on @user_script:1."), "streams/README.md"},
		"missing rights to a key, Redis 7.0":         {"redis://:pw@h", errors.New("ERR The user executing the script can't access at least one of the keys mentioned in the command arguments script: 1"), "streams/README.md"},
		"missing permissions in a script, Valkey":    {"redis://:pw@h", errors.New("ERR ACL failure in script: User burble has no permissions to run the 'xtrim' command script: 1, on @user_script:1."), "streams/README.md"},
		"no connection left":                         {"redis://:pw@h", errors.New("ERR max number of clients reached"), "maxclients"},
		"no connection left for TLS":                 {"rediss://:pw@h", io.EOF, "maxclients"},
		"protected mode":                             {"redis://:pw@h", errors.New("DENIED Redis is running in protected mode"), "requirepass"},
		"a Cluster":                                  {"redis://:pw@h", errors.New("MOVED 13907 127.0.0.1:7303"), "?cluster=true"},
		"not a Cluster":                              {"redis://:pw@h", errors.New("ERR This instance has cluster support disabled"), "one URL"},
	} {
		got := redisurl.Advice(fmt.Errorf("connect: %w", test.err), test.rawURL)
		if !strings.Contains(got, test.want) || strings.Contains(got, "pw") {
			t.Errorf("%s: %q does not contain %q", name, got, test.want)
		}
	}
	if got := redisurl.Advice(errors.New("dial tcp: no such host"), "redis://:pw@h"); got != "" {
		t.Errorf("got advice %q for an error that explains itself, want none", got)
	}
}
