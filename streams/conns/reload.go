package conns

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// reloader is a hook that makes a Cluster client look up the slots again as soon as a server
// fails. Without it, the client keeps using that server for up to a minute, unless another
// server redirects it.
type reloader struct{ cluster *redis.ClusterClient }

// DialHook implements redis.Hook.
func (r reloader) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (r reloader) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		err := next(ctx, command)
		if command.Name() != "cluster" { // the lookup itself
			r.check(ctx, err)
		}
		return err
	}
}

// ProcessPipelineHook implements redis.Hook.
func (r reloader) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		err := next(ctx, commands)
		r.check(ctx, err)
		return err
	}
}

// check looks up the slots after a network error, or a reply that a slot has moved.
func (r reloader) check(ctx context.Context, err error) {
	if err != nil && !IsReply(err, "") || IsReply(err, "MOVED ", "CLUSTERDOWN ", "READONLY ") {
		r.cluster.ReloadState(ctx)
	}
}
