package main

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestRedisURL(t *testing.T) {
	tests := []struct {
		given, describe string
		want            redis.UniversalOptions
	}{
		{
			"redis://localhost", "Redis at localhost:6379",
			redis.UniversalOptions{Addrs: []string{"localhost:6379"}},
		},
		{
			"redis://ada:p%40ss@host:1/2?protocol=2", "Redis at host:1, database 2",
			redis.UniversalOptions{Addrs: []string{"host:1"}, Username: "ada", Password: "p@ss", DB: 2, Protocol: 2},
		},
		{
			"unix://:pw@/run/redis.sock?db=3", "Redis at /run/redis.sock, database 3",
			redis.UniversalOptions{Addrs: []string{"/run/redis.sock"}, Password: "pw", DB: 3},
		},
		{
			"redis://u:p@a:1,redis://b:2, redis://[::1]", "Redis Cluster at a:1, b:2, [::1]:6379",
			redis.UniversalOptions{Addrs: []string{"a:1", "b:2", "[::1]:6379"}, Username: "u", Password: "p", IsClusterMode: true},
		},
		{
			"redis://:a,b@host", "Redis at host:6379",
			redis.UniversalOptions{Addrs: []string{"host:6379"}, Password: "a,b"},
		},
		{
			"redis://a:1?cluster=true", "Redis Cluster at a:1",
			redis.UniversalOptions{Addrs: []string{"a:1"}, IsClusterMode: true},
		},
		{
			"redis://a:1?addr=b:2&addr=c:3", "Redis Cluster at a:1, b:2, c:3",
			redis.UniversalOptions{Addrs: []string{"a:1", "b:2", "c:3"}, IsClusterMode: true},
		},
		{
			"redis-sentinel://u:p@s1,s2:2/mymaster/4", "Redis mymaster found by Sentinel at s1:26379, s2:2, database 4",
			redis.UniversalOptions{Addrs: []string{"s1:26379", "s2:2"}, Username: "u", Password: "p", DB: 4, MasterName: "mymaster"},
		},
		{
			"redis-sentinel://s1/m?sentinel_username=su&sentinel_password=sp", "Redis m found by Sentinel at s1:26379",
			redis.UniversalOptions{Addrs: []string{"s1:26379"}, SentinelUsername: "su", SentinelPassword: "sp", MasterName: "m"},
		},
		{
			"redis://su:sp@s1:1/5?master_name=m&addr=s2:2&username=u&password=p", "Redis m found by Sentinel at s1:1, s2:2, database 5",
			redis.UniversalOptions{
				Addrs: []string{"s1:1", "s2:2"}, SentinelUsername: "su", SentinelPassword: "sp", Username: "u", Password: "p", DB: 5, MasterName: "m",
			},
		},
	}
	for _, test := range tests {
		t.Run(test.given, func(t *testing.T) {
			got, describe, err := parseRedisURL(test.given, true)
			if err != nil {
				t.Fatal(err)
			}
			if describe != test.describe {
				t.Errorf("described as %q, want %q", describe, test.describe)
			}
			if !sameRedisOptions(got, &test.want) {
				t.Errorf("\ngot  %+v\nwant %+v", got, &test.want)
			}
		})
	}
}

// sameRedisOptions compares all that parseRedisURL sets, but TLS.
func sameRedisOptions(a, b *redis.UniversalOptions) bool {
	return strings.Join(a.Addrs, " ") == strings.Join(b.Addrs, " ") && a.Username == b.Username && a.Password == b.Password &&
		a.DB == b.DB && a.Protocol == b.Protocol && a.MasterName == b.MasterName && a.IsClusterMode == b.IsClusterMode &&
		a.SentinelUsername == b.SentinelUsername && a.SentinelPassword == b.SentinelPassword && a.TLSConfig == nil && b.TLSConfig == nil
}

func TestRedisURLWithTLS(t *testing.T) {
	tests := []struct {
		name, given  string
		heroku       bool
		skip         bool
		server, says string
	}{
		{"checked", "rediss://host:1", false, false, "host", "TLS"},
		{"unchecked on demand", "rediss://host:1?skip_verify=true", false, true, "host", "skip_verify"},
		{"unchecked on Heroku", "rediss://host:1", true, true, "host", "Heroku"},
		{"checked on Heroku on demand", "rediss://host:1?skip_verify=false", true, false, "host", "TLS"},
		{"Cluster: each node by its own name", "rediss://a:1,rediss://b:1", false, false, "", "TLS"},
		{"Sentinel: each node by its own name", "rediss-sentinel://a,b/m", false, false, "", "TLS"},
		{"Sentinel unchecked", "rediss-sentinel://a,b/m?skip_verify=true", false, true, "", "skip_verify"},
		{"Sentinel as go-redis writes it", "rediss://a?master_name=m", false, false, "", "TLS"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, describe, err := parseRedisURL(test.given, test.heroku)
			if err != nil {
				t.Fatal(err)
			}
			if got.TLSConfig == nil || got.TLSConfig.InsecureSkipVerify != test.skip || got.TLSConfig.ServerName != test.server {
				t.Errorf("got %+v", got.TLSConfig)
			}
			if !strings.Contains(describe, test.says) {
				t.Errorf("described as %q", describe)
			}
		})
	}
}

func TestRedisURLRefused(t *testing.T) {
	tests := []struct{ given, says string }{
		{"localhost:6379", "scheme"},
		{"http://localhost", "scheme"},
		{"redis://a:1,b:2", "whole URL"},
		{"redis://a:b", "cannot be read"},
		{"redis://a/x", "number of a database"},
		{"redis://a?pool_size=50", "db, protocol, skip_verify, addr, cluster"},
		{"redis://a?cluster=perhaps", "true or false"},
		{"redis://a?username=u", "known"},
		{"redis://a?db=x", "database"},
		{"redis://a/1,redis://b", "database"},
		{"redis://a,http://b", "whole URL"},
		{"redis://a,redis://b:x", "cannot be read"},
		{"unix://run/redis.sock", "unix:///run"},
		{"unix://", "path"},
		{"unix:///a?cluster=true", "Unix socket"},
		{"unix:///a?master_name=m", "Unix socket"},
		{"redis-sentinel://a", "redis-sentinel://host1"},
		{"redis-sentinel:///m", "redis-sentinel://host1"},
		{"redis-sentinel://a/m/x", "number of a database"},
		{"redis-sentinel://a/m?cluster=true", "known"},
		{"redis://a?master_name=", "master"},
	}
	for _, test := range tests {
		t.Run(test.given, func(t *testing.T) {
			got, _, err := parseRedisURL(test.given, false)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}
