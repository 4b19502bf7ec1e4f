package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"burble/app/attachments"
	"burble/app/blobs"
	"burble/app/chat"
	"burble/app/pictures"
	"burble/streams"
)

// filesOff is the value of FILES that turns files off.
const filesOff = "off"

// maxFileSize bounds PICTURE_MAX and FILE_MAX.
const maxFileSize = 1 << 30

// bucketTimeout limits how long the program checks at startup whether the store can be used.
const bucketTimeout = 20 * time.Second

// checkStore decides where files are stored: in the directory FILES, else in the bucket that the hosting platform has
// created, else, if this server starts its own Redis, in a subdirectory of DATA_DIR. Otherwise, or if
// FILES is "off", there are no files.
func checkStore(config *Config, getenv func(string) string) (err error) {
	switch config.Files {
	case filesOff:
		config.Files = ""
		return nil
	case "":
	default:
		return nil
	}
	var found bool
	if config.S3, found, err = blobs.S3FromEnvironment(getenv); err != nil {
		return fmt.Errorf("%w: set it, or set FILES=%s", err, filesOff)
	}
	if !found && config.RedisURL == "" {
		config.Files = filepath.Join(config.DataDir, "files")
	}
	return nil
}

// openStore returns the configured store, or nil if there is none.
func openStore(config Config) (blobs.Store, error) {
	switch {
	case config.Files != "":
		store, err := blobs.OpenDirectory(config.Files)
		if err != nil {
			return nil, fmt.Errorf("FILES: %w", err)
		}
		return store, nil
	case config.S3.Bucket != "":
		store, err := blobs.OpenS3(config.S3)
		if err != nil {
			return nil, fmt.Errorf("the bucket %s: %w", config.S3.Bucket, err)
		}
		return store, nil
	}
	return nil, nil
}

// newFiles returns the service for the files of messages, or nil if there is no store for them.
func newFiles(config Config, store *streams.Store, rooms *chat.Service, processor *pictures.Processor, log *slog.Logger) (*attachments.Service, error) {
	objects, err := openStore(config)
	if objects == nil || err != nil {
		return nil, err
	}
	return attachments.New(attachments.Options{
		Store: objects, Rooms: rooms, Redis: store.Conns(), Prefix: config.RedisPrefix, Pictures: processor, Log: log,
		MaxPicture: config.PictureMax, MaxFile: config.FileMax, MaxTotal: config.FilesMax, MaxDay: config.FilesPerDay,
	}), nil
}

// runFiles returns a function that runs the background jobs for files. It logs a warning if the store cannot be used. The
// server starts anyway, because people can write messages without files, and the store may recover.
func runFiles(files *attachments.Service, log *slog.Logger) func(context.Context) error {
	return func(ctx context.Context) error {
		checking, cancel := context.WithTimeout(ctx, bucketTimeout)
		defer cancel()
		if err := files.Check(checking); err != nil && ctx.Err() == nil {
			log.Warn("the store for files cannot be used: uploads fail until it can", "error", err)
		}
		return files.Run(ctx)
	}
}

// setSize returns a set function for a number of bytes.
func setSize(field func(*Config) *int64, least, most int64) func(*Config, string) error {
	return func(config *Config, value string) error {
		number, unit := value, int64(1)
		for suffix, factor := range map[string]int64{"KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40} {
			if text, found := strings.CutSuffix(value, suffix); found {
				number, unit = strings.TrimSpace(text), factor
			}
		}
		count, err := strconv.ParseInt(number, 10, 32)
		if size := count * unit; err != nil || size < least || size > most {
			if least > 0 {
				return fmt.Errorf("a size such as 500KB or 10MB, from %dKB to %dMB", least>>10, most>>20)
			}
			return errors.New("a size such as 500MB or 5GB, or 0 for no limit")
		}
		*field(config) = count * unit
		return nil
	}
}

// maxQuota bounds FILES_MAX and FILES_PER_DAY.
const maxQuota = 1 << 60
