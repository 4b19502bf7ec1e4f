package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"burble/app/accounts"
	"burble/app/chat"
	"burble/app/peer"
	"burble/app/people"
	"burble/app/protocol"
	"burble/streams"
)

// command is a command of the program for its operator, such as "burble owner". It prints a link.
type command struct {
	name     string
	role     accounts.Role // of an invite
	uses     int           // of an invite
	lifetime time.Duration // of an invite
	user     string        // the ID of the user whom a link signs in
	usage    string
}

// commands maps the name of each command to its usage.
var commands = map[string]string{
	"owner":  "burble owner [flags]\n\tprints a link, valid for a day, that makes a person an owner",
	"invite": "burble invite [-uses 1] [-expires-in 7d] [-role member] [flags]\n\tprints a link that invites people to the server",
	"link":   "burble link [flags] <user ID>\n\tprints a link, valid for 10 minutes, that signs in as that person",
}

// isCommand reports whether args, without the program's name, begin with a command.
func isCommand(args []string) bool { return len(args) > 0 && commands[args[0]] != "" }

// parseCommand parses a command and its arguments, which may include the flag of any setting.
func parseCommand(args []string, getenv func(string) string) (command, Config, error) {
	c := command{name: args[0], role: accounts.Member, uses: 1, lifetime: 7 * 24 * time.Hour, usage: commands[args[0]]}
	given, rest, err := parseFlags(args[1:], func(set *flag.FlagSet) {
		if c.name != "invite" {
			return
		}
		set.IntVar(&c.uses, "uses", c.uses, "")
		set.Func("expires-in", "", func(text string) (err error) { c.lifetime, err = people.ParseLifetime(text); return err })
		set.Func("role", "", func(text string) error {
			if c.role = accounts.Role(text); !c.role.IsValid() {
				return errors.New("must be member, moderator or owner")
			}
			return nil
		})
	})
	switch {
	case err != nil:
		return c, Config{}, fmt.Errorf("%w\nUsage: %s", err, c.usage)
	case c.name == "link" && len(rest) == 1:
		c.user = rest[0]
	case c.name == "link" || len(rest) > 0:
		return c, Config{}, fmt.Errorf("usage: %s", c.usage)
	case c.uses < 1 || c.uses > accounts.MaxInviteUses:
		return c, Config{}, fmt.Errorf("-uses must be a number from 1 to %d", accounts.MaxInviteUses)
	}
	config, err := newConfig(given, getenv)
	if err == nil && config.RedisURL == "" {
		err = errors.New("REDIS_URL is empty: a command needs the same REDIS_URL as the servers")
	}
	return c, config, err
}

// run prints the link of the command to out.
func (c command) run(ctx context.Context, config Config, out io.Writer, log *slog.Logger) (err error) {
	source, err := openRedis(ctx, config, log)
	if err != nil {
		return err
	}
	defer source.Close()
	options := storeOptions(config, source, log)
	options.Wait = 0
	store, err := streams.Open(ctx, options)
	if err != nil {
		return explainRedisError(err, config.RedisURL)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	stop := start(ctx, store.Run)
	defer func() { err = errors.Join(err, stop()) }()
	secret, err := signingSecret(ctx, config, store)
	if err != nil {
		return err
	}
	known := newAccounts(config, store, secret, source, log)
	path, recorded, err := c.create(ctx, known)
	if err != nil {
		return err
	}
	if err := chat.New(store, chat.Options{Log: log}).Record(chat.Operator, "", recorded); err != nil {
		return fmt.Errorf("record in the audit log: %w", err)
	}
	fmt.Fprintln(out, publicOrigin(config, nil)+path)
	return nil
}

// create creates the invite or sign-in link. It returns the path of the link, and the entry for the audit log.
func (c command) create(ctx context.Context, known *accounts.Accounts) (path string, recorded streams.Entry, err error) {
	switch c.name {
	case "owner":
		code, err := known.CreateOwnerInvite(ctx)
		return "/setup?code=" + code, streams.Entry{Action: protocol.ActionInvite, Role: streams.Role(accounts.Owner)}, err
	case "invite":
		_, code, err := known.CreateInvite(ctx, accounts.Operator, "", accounts.Invite{Role: c.role, Uses: c.uses, Expiry: time.Now().Add(c.lifetime)})
		return "/i/" + code, streams.Entry{Action: protocol.ActionInvite, Role: streams.Role(c.role)}, err
	}
	account, err := known.Account(ctx, c.user)
	if err != nil {
		return "", recorded, fmt.Errorf("user %s: %w", c.user, err)
	}
	code, err := known.CreateLink(ctx, accounts.Operator, c.user)
	member := streams.User{ID: account.ID, Name: account.Name}
	return "/l/" + code, streams.Entry{Action: protocol.ActionLink, Member: member}, err
}

// newAccounts returns the accounts in the store's Redis.
func newAccounts(config Config, store *streams.Store, secret []byte, source *redisSource, log *slog.Logger) *accounts.Accounts {
	return accounts.New(accounts.Options{
		Redis: store.Conns(), Prefix: config.RedisPrefix, Secret: secret, Log: log, EndUnconfirmed: source.Address.InCluster(),
	})
}

// logSetup logs the link that makes the first owner, if there is no owner yet.
func logSetup(ctx context.Context, known *accounts.Accounts, origin string, log *slog.Logger) {
	code, err := known.SetupCode(ctx)
	switch {
	case err != nil:
		log.Warn("cannot find out whether the server has an owner", "error", err)
	case code != "":
		log.Info("this server has no owner: open the link to become its owner", "url", origin+"/setup?code="+code)
	}
}

// publicOrigin returns the origin of this server for links that the program prints: the first of ORIGINS, else
// the first host name of the server, else a placeholder if there is a trusted proxy, else the address on this
// machine. listener may be nil.
func publicOrigin(config Config, listener net.Listener) string {
	if len(config.Origins) > 0 {
		return config.Origins[0]
	}
	for _, host := range config.Hosts {
		if !strings.HasPrefix(host, ".") && host != "*" {
			return "https://" + host
		}
	}
	switch {
	case config.TrustedProxy != peer.ProxyNone:
		return "https://<name of this server>"
	case listener != nil:
		return localURL(config, listener)
	}
	return fmt.Sprintf("http://localhost:%d", config.Port)
}

// runCommand runs the command in args, without the program's name. If the command fails, the program exits.
func runCommand(args []string) {
	c, config, err := parseCommand(args, os.Getenv)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Println("Usage:", c.usage)
		return
	}
	if err != nil {
		exit(err)
	}
	if err := c.run(context.Background(), config, os.Stdout, newLogger(config, os.Stderr)); err != nil {
		exit(err)
	}
}
