package main

import (
	"context"
	"maps"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// A disk is what a machine holds in memory, and beside it what would be left if the power
// went: what was synced.
type disk struct {
	mu   sync.Mutex
	root *object // guarded by mu, with all below
	last uint64  // inode
	ops  []op    // changes of names that were not synced, in their order
	seq  int
}

// An object is a file or a directory.
type object struct {
	ino    uint64
	dir    bool
	mode   uint32
	mtime  time.Time
	now    []byte // of a file
	synced []byte
	names  map[string]*object // of a directory
	kept   map[string]*object // that were synced
}

// An op is one change of names; a rename is two, and never half done.
type op struct {
	seq     int
	changes []change
}

type change struct {
	dir  *object
	name string
	to   *object // nil if the name is gone
}

func newDisk() *disk {
	d := &disk{}
	d.root = d.object(true, 0o700)
	return d
}

func (d *disk) object(dir bool, mode uint32) *object {
	d.last++
	o := &object{ino: d.last + 1, dir: dir, mode: mode & 0o7777, mtime: time.Now()}
	if dir {
		o.names, o.kept = map[string]*object{}, map[string]*object{}
	}
	return o
}

func (d *disk) change(all ...change) {
	d.seq++
	for _, c := range all {
		c.put(c.dir.names)
	}
	d.ops = append(d.ops, op{d.seq, all})
}

func (c change) put(names map[string]*object) {
	if c.to == nil {
		delete(names, c.name)
	} else {
		names[c.name] = c.to
	}
}

// syncDir keeps what a directory names now.
func (d *disk) syncDir(o *object) {
	o.kept = maps.Clone(o.names)
	var left []op
	for _, p := range d.ops {
		var others []change
		for _, c := range p.changes {
			if c.dir != o {
				others = append(others, c)
			}
		}
		if len(others) > 0 {
			left = append(left, op{p.seq, others})
		}
	}
	d.ops = left
}

// crash returns what is left when the power goes. A strict disk has lost all that was not
// synced; another has kept names up to some moment, and pages of files or not.
func (d *disk) crash(strict bool) *disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	kept := map[*object]map[string]*object{}
	names := func(o *object) map[string]*object {
		if kept[o] == nil {
			kept[o] = maps.Clone(o.kept)
		}
		return kept[o]
	}
	if !strict && len(d.ops) > 0 {
		until := d.ops[0].seq + rand.IntN(d.seq-d.ops[0].seq+2)
		for _, p := range d.ops {
			for _, c := range p.changes {
				if p.seq < until {
					c.put(names(c.dir))
				}
			}
		}
	}
	after := &disk{last: d.last}
	made := map[*object]*object{}
	var copied func(o *object) *object
	copied = func(o *object) *object {
		if made[o] != nil {
			return made[o]
		}
		c := &object{ino: o.ino, dir: o.dir, mode: o.mode, mtime: o.mtime}
		made[o] = c
		if !o.dir {
			c.now = o.left(strict)
			c.synced = append([]byte(nil), c.now...)
			return c
		}
		c.names = map[string]*object{}
		for name, x := range names(o) {
			c.names[name] = copied(x)
		}
		c.kept = maps.Clone(c.names)
		return c
	}
	after.root = copied(d.root)
	return after
}

// left is what a file holds when the power has gone.
func (o *object) left(strict bool) []byte {
	if strict {
		return append([]byte(nil), o.synced...)
	}
	const page = 4096
	size := len(o.synced)
	if rand.IntN(2) == 0 {
		size = len(o.now)
	}
	out := make([]byte, size)
	for at := 0; at < size; at += page {
		from := o.synced
		if rand.IntN(2) == 0 {
			from = o.now
		}
		if at < len(from) {
			copy(out[at:min(size, at+page)], from[at:min(len(from), at+page)])
		}
	}
	return out
}

func (o *object) resize(size int) {
	if size <= len(o.now) {
		o.now = o.now[:size:size]
		return
	}
	o.now = append(o.now, make([]byte, size-len(o.now))...)
}

func (o *object) kind() uint32 {
	if o.dir {
		return fuse.S_IFDIR
	}
	return fuse.S_IFREG
}

func (o *object) attr(a *fuse.Attr) {
	a.Mode, a.Ino, a.Size, a.Nlink = o.mode|o.kind(), o.ino, uint64(len(o.now)), 1
	a.SetTimes(nil, &o.mtime, &o.mtime)
}

// A node is an object as it is mounted.
type node struct {
	fs.Inode
	d *disk
	o *object
}

// child makes the inode of an object; d.mu is held, and let go meanwhile.
func (n *node) child(ctx context.Context, o *object, out *fuse.EntryOut) *fs.Inode {
	o.attr(&out.Attr)
	n.d.mu.Unlock()
	defer n.d.mu.Lock()
	return n.NewInode(ctx, &node{d: n.d, o: o}, fs.StableAttr{Mode: o.kind(), Ino: o.ino})
}

func (n *node) Getattr(ctx context.Context, f fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	n.o.attr(&out.Attr)
	return 0
}

func (n *node) Setattr(ctx context.Context, f fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if size, ok := in.GetSize(); ok {
		n.o.resize(int(size))
	}
	if mode, ok := in.GetMode(); ok {
		n.o.mode = mode & 0o7777
	}
	n.o.attr(&out.Attr)
	return 0
}

func (n *node) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	o := n.o.names[name]
	if o == nil {
		return nil, syscall.ENOENT
	}
	return n.child(ctx, o, out), 0
}

func (n *node) Readdir(ctx context.Context) (fs.DirStream, syscall.Errno) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	var all []fuse.DirEntry
	for name, o := range n.o.names {
		all = append(all, fuse.DirEntry{Name: name, Mode: o.kind(), Ino: o.ino})
	}
	return fs.NewListDirStream(all), 0
}

func (n *node) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if n.o.names[name] != nil {
		return nil, syscall.EEXIST
	}
	o := n.d.object(true, mode)
	n.d.change(change{n.o, name, o})
	return n.child(ctx, o, out), 0
}

func (n *node) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	o := n.o.names[name]
	if o != nil && flags&syscall.O_EXCL != 0 {
		return nil, nil, 0, syscall.EEXIST
	}
	if o == nil {
		o = n.d.object(false, mode)
		n.d.change(change{n.o, name, o})
	}
	return n.child(ctx, o, out), nil, 0, 0
}

func (n *node) Open(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if flags&syscall.O_TRUNC != 0 {
		n.o.resize(0)
	}
	return nil, 0, 0
}

func (n *node) Read(ctx context.Context, f fs.FileHandle, into []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if off >= int64(len(n.o.now)) {
		return fuse.ReadResultData(nil), 0
	}
	return fuse.ReadResultData(into[:copy(into, n.o.now[off:])]), 0
}

func (n *node) Write(ctx context.Context, f fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if end := int(off) + len(data); end > len(n.o.now) {
		n.o.resize(end)
	}
	copy(n.o.now[off:], data)
	n.o.mtime = time.Now()
	return uint32(len(data)), 0
}

func (n *node) Fsync(ctx context.Context, f fs.FileHandle, flags uint32) syscall.Errno {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if n.o.dir {
		n.d.syncDir(n.o)
	} else {
		n.o.synced = append([]byte(nil), n.o.now...)
	}
	return 0
}

func (n *node) Unlink(ctx context.Context, name string) syscall.Errno { return n.remove(name) }
func (n *node) Rmdir(ctx context.Context, name string) syscall.Errno  { return n.remove(name) }

func (n *node) remove(name string) syscall.Errno {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	o := n.o.names[name]
	switch {
	case o == nil:
		return syscall.ENOENT
	case len(o.names) > 0:
		return syscall.ENOTEMPTY
	}
	n.d.change(change{n.o, name, nil})
	return 0
}

func (n *node) Rename(ctx context.Context, name string, parent fs.InodeEmbedder, to string, flags uint32) syscall.Errno {
	const noReplace = 1
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	p := parent.(*node)
	o, there := n.o.names[name], p.o.names[to]
	switch {
	case o == nil:
		return syscall.ENOENT
	case flags&^noReplace != 0:
		return syscall.EINVAL
	case flags == noReplace && there != nil:
		return syscall.EEXIST
	case there != nil && len(there.names) > 0:
		return syscall.ENOTEMPTY
	}
	n.d.change(change{n.o, name, nil}, change{p.o, to, o})
	return 0
}

func (n *node) Link(ctx context.Context, target fs.InodeEmbedder, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if n.o.names[name] != nil {
		return nil, syscall.EEXIST
	}
	o := target.(*node).o
	n.d.change(change{n.o, name, o})
	return n.child(ctx, o, out), 0
}

func (n *node) Statfs(ctx context.Context, out *fuse.StatfsOut) syscall.Errno {
	out.Bsize, out.Blocks, out.Bfree, out.Bavail, out.Files, out.Ffree, out.NameLen = 4096, 1<<20, 1<<20, 1<<20, 1<<20, 1<<20, 255
	return 0
}

func (d *disk) mount(at string) (*fuse.Server, error) {
	cached := time.Second
	return fs.Mount(at, &node{d: d, o: d.root}, &fs.Options{EntryTimeout: &cached, AttrTimeout: &cached,
		MountOptions: fuse.MountOptions{DirectMount: true, FsName: "power", Name: "power"}})
}
