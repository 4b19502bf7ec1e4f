package blobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const (
	// folderMode and the mode of new files, 0600, keep objects from other users of the machine.
	folderMode = 0o700
	// temporaryFolder is the folder of files that Put has not yet renamed.
	temporaryFolder = "tmp"
	// temporaryLifetime is the time since the last write after which OpenDirectory and List remove such a file.
	temporaryLifetime = time.Hour
)

// A Directory is a Store in a directory: the object with the hash abcdef… is the file ab/cdef….
type Directory struct {
	root string
	step func(name string) // a hook for tests, called after each step of Put and Delete
}

// OpenDirectory returns a Store in the directory, which it creates if necessary. It removes incomplete files that killed
// processes left behind.
func OpenDirectory(root string) (*Directory, error) {
	if err := os.MkdirAll(filepath.Join(root, temporaryFolder), folderMode); err != nil {
		return nil, fmt.Errorf("create the directory for files: %w", err)
	}
	d := &Directory{root: root, step: func(string) {}}
	return d, d.removeTemporary(time.Now().Add(-temporaryLifetime))
}

// removeTemporary removes temporary files that were last written before the time.
func (d *Directory) removeTemporary(before time.Time) error {
	folder := filepath.Join(d.root, temporaryFolder)
	files, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("list temporary files: %w", err)
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil || !info.ModTime().Before(before) {
			continue // renamed in the meantime, or in use
		}
		if err := os.Remove(filepath.Join(folder, file.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove a temporary file: %w", err)
		}
	}
	return nil
}

func (d *Directory) path(hash string) string { return filepath.Join(d.root, hash[:2], hash[2:]) }

// Put implements Store. When it returns, the object survives a power cut.
func (d *Directory) Put(ctx context.Context, body io.Reader, limit int64) (blob Blob, err error) {
	file, err := os.CreateTemp(filepath.Join(d.root, temporaryFolder), "put-*")
	if err != nil {
		return blob, fmt.Errorf("create a temporary file: %w", err)
	}
	defer func() {
		if file.Close(); err != nil {
			os.Remove(file.Name())
		}
	}()
	d.step("created")
	if blob, err = write(ctx, file, body, limit); err != nil {
		return Blob{}, err
	}
	d.step("written")
	if err := file.Sync(); err != nil {
		return Blob{}, fmt.Errorf("flush an object: %w", err)
	}
	d.step("flushed")
	folder := filepath.Dir(d.path(blob.Hash))
	if err := os.Mkdir(folder, folderMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return Blob{}, fmt.Errorf("create a folder: %w", err)
	} else if err == nil {
		if err := syncFolder(d.root); err != nil {
			return Blob{}, err
		}
	}
	if err := os.Rename(file.Name(), d.path(blob.Hash)); err != nil {
		return Blob{}, fmt.Errorf("rename an object: %w", err)
	}
	d.step("renamed")
	return blob, syncFolder(folder)
}

// syncFolder flushes the names in the folder to disk, so that they survive a power cut.
func syncFolder(name string) error {
	if runtime.GOOS == "windows" { // Windows cannot flush folders
		return nil
	}
	folder, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("open a folder: %w", err)
	}
	defer folder.Close()
	if err := folder.Sync(); err != nil {
		return fmt.Errorf("flush a folder: %w", err)
	}
	return nil
}

// A fileObject is an Object in a Directory.
type fileObject struct {
	*os.File
	size int64
}

// Size implements Object.
func (o fileObject) Size() int64 { return o.size }

// Open implements Store.
func (d *Directory) Open(_ context.Context, hash string) (Object, error) {
	if err := CheckHash(hash); err != nil {
		return nil, err
	}
	file, err := os.Open(d.path(hash))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("open an object: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("open an object: %w", err)
	}
	return fileObject{file, info.Size()}, nil
}

// Exists implements Store.
func (d *Directory) Exists(_ context.Context, hash string) (bool, error) {
	if CheckHash(hash) != nil {
		return false, nil
	}
	_, err := os.Stat(d.path(hash))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look up an object: %w", err)
	}
	return true, nil
}

// Delete implements Store.
func (d *Directory) Delete(_ context.Context, hash string) error {
	if CheckHash(hash) != nil {
		return nil
	}
	if err := os.Remove(d.path(hash)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete an object: %w", err)
	}
	d.step("removed")
	return nil
}

// PresignGet implements Store. A directory has no URLs.
func (d *Directory) PresignGet(context.Context, string, Presentation) (string, error) { return "", nil }

// Origin implements Store.
func (d *Directory) Origin() string { return "" }

// List implements Store. It also removes temporary files that killed processes left behind.
func (d *Directory) List(ctx context.Context, after string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		err := d.removeTemporary(time.Now().Add(-temporaryLifetime))
		folders, listErr := os.ReadDir(d.root)
		if err = errors.Join(err, listErr); err != nil {
			yield(Info{}, err)
			return
		}
		for _, folder := range folders {
			if len(folder.Name()) != 2 || folder.Name() < after[:min(2, len(after))] {
				continue
			}
			files, err := os.ReadDir(filepath.Join(d.root, folder.Name()))
			if err != nil {
				yield(Info{}, err)
				return
			}
			for _, file := range files {
				hash := folder.Name() + file.Name()
				info, err := file.Info()
				if CheckHash(hash) != nil || strings.Compare(hash, after) <= 0 || errors.Is(err, fs.ErrNotExist) {
					continue
				}
				if err = errors.Join(err, ctx.Err()); err != nil {
					yield(Info{}, err)
					return
				}
				if !yield(Info{Blob{hash, info.Size()}, info.ModTime()}, nil) {
					return
				}
			}
		}
	}
}
