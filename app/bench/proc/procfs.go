//go:build linux

package proc

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// clockTick is the unit of process times in /proc. USER_HZ is 100 on every architecture that Go
// supports.
const clockTick = 10 * time.Millisecond

// cpuTime returns the user and system CPU time of a process.
func cpuTime(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// utime and stime are fields 14 and 15. Parsing starts after field 2, the program's name in
	// parentheses, because it may contain spaces and parentheses.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat is too short", pid)
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}

// ResidentBytes returns the total resident memory (RSS) of the processes.
func ResidentBytes(pids []int) (int64, error) { return sumOf(pids, resident) }

// resident returns the resident memory of a process.
func resident(pid int) (int64, error) {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(statm)
	if len(fields) < 2 {
		return 0, fmt.Errorf("/proc/%d/statm is too short", pid)
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// sumOf returns the sum of measure over the processes.
func sumOf[T int64 | time.Duration](pids []int, measure func(pid int) (T, error)) (sum T, err error) {
	for _, pid := range pids {
		n, err := measure(pid)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}
