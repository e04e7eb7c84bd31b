package storetest

import (
	"os"
	"path/filepath"
	"strconv"
)

// Standby starts a second server that follows this one. From then on the first
// acknowledges nothing that the second does not have on its disk.
func (c *Cluster) Standby() *Cluster {
	c.t.Helper()
	dir, err := os.MkdirTemp("", "chancery-postgres-")
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { os.RemoveAll(dir) })
	s := &Cluster{t: c.t, bin: c.bin, Port: freePort(c.t), Dir: filepath.Join(dir, "data")}
	if os.Geteuid() == 0 {
		s.become(dir)
	}
	port := strconv.Itoa(c.Port)
	s.Run("pg_basebackup", "-D", s.Dir, "-h", "127.0.0.1", "-p", port, "-U", "chancery", "-R", "-X", "stream", "-c", "fast", "--no-sync")
	s.Start()
	c.t.Cleanup(s.end)
	c.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
	c.sql("SELECT pg_reload_conf()")
	c.sql(`DO $$ BEGIN
		WHILE NOT EXISTS (SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync') LOOP
			PERFORM pg_sleep(0.02);
			PERFORM pg_stat_clear_snapshot();
		END LOOP;
	END $$`)
	return s
}

// sql has the server do something.
func (c *Cluster) sql(text string) {
	c.t.Helper()
	c.Run("psql", "-h", "127.0.0.1", "-p", strconv.Itoa(c.Port), "-U", "chancery", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-q", "-c", text)
}

// Promote makes a standby one that writes: the server that it followed is gone.
func (c *Cluster) Promote() {
	c.t.Helper()
	c.Run("pg_ctl", "-D", c.Dir, "-w", "promote")
}

// end stops the server unless it is stopped already.
func (c *Cluster) end() {
	if _, err := os.Stat(filepath.Join(c.Dir, "postmaster.pid")); err == nil {
		c.Stop("immediate")
	}
}
