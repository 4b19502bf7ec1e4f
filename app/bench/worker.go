//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"burble/app/bench/load"
	"burble/app/bench/proc"
	"burble/app/bench/report"
)

// A process may open only so many files, and each connection needs one at either end. If there are
// more clients than that, the bench divides them among workers, which are further processes of this
// program. Each worker has its own Burble, and all share one Redis. One client of the first worker
// sends, and the clients of all workers receive.

// worker is the configuration of a worker process. The process gets it as a JSON argument.
type worker struct {
	Index     int
	Work      load.Workload
	Redis     string // path of its socket
	RedisPIDs []int  // set only for the worker that measures the CPU of Redis
	Burble    string
	Patience  time.Duration
}

// otherFiles is the number of open files that a process needs in addition to its clients'.
const otherFiles = 1000

// workersFor returns the number of processes that a workload needs.
func (b *bench) workersFor(w load.Workload) int {
	return (w.Clients + b.clientsPerProcess - 1) / b.clientsPerProcess
}

// runInWorkers is runDelivery for more clients than one process can have.
func (b *bench) runInWorkers(ctx context.Context, p *report.Plan) (*report.Result, error) {
	if p.Target != "burble" || p.Work.Rooms > 1 || p.Work.Sequences() > 1 {
		return nil, fmt.Errorf("one process can have only %d connections on this machine; more require target burble, one room and at most one sender", b.clientsPerProcess)
	}
	r, err := proc.StartRedis(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Stop()
	program, err := b.launcher.Burble.Build(ctx)
	if err != nil {
		return nil, err
	}
	count := b.workersFor(p.Work)
	workers := make([]*workerProcess, count)
	defer func() {
		for _, w := range workers {
			w.kill()
		}
	}()
	for i := range workers {
		work := p.Work
		work.Clients = (i+1)*p.Work.Clients/count - i*p.Work.Clients/count
		work.Users = min(work.Users, work.Clients)
		config := worker{Index: i, Work: work, Redis: r.Socket, Burble: program, Patience: b.patience}
		if i == 0 {
			config.RedisPIDs = r.PIDs
		}
		if workers[i], err = startWorker(config); err != nil {
			return nil, err
		}
	}
	for _, step := range []func(*workerProcess) error{(*workerProcess).awaitJoined, (*workerProcess).begin, (*workerProcess).awaitResult} {
		for _, w := range workers {
			if err := step(w); err != nil {
				return nil, err
			}
		}
	}
	return combine(p, workers), nil
}

// workerProcess is the parent's handle to a worker process.
type workerProcess struct {
	command *exec.Cmd
	input   io.WriteCloser
	output  *json.Decoder
	stderr  bytes.Buffer
	result  report.Result
}

func startWorker(config worker) (*workerProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	w := &workerProcess{command: exec.Command(self, "worker", string(text))}
	w.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	w.command.Stderr = &w.stderr
	output, err := w.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.output = json.NewDecoder(output)
	if w.input, err = w.command.StdinPipe(); err != nil {
		return nil, err
	}
	return w, w.command.Start()
}

// awaitJoined waits until all clients of the worker have joined.
func (w *workerProcess) awaitJoined() error { return w.read(new(bool)) }

// begin makes the worker start measuring.
func (w *workerProcess) begin() error {
	_, err := fmt.Fprintln(w.input)
	return err
}

func (w *workerProcess) awaitResult() error { return w.read(&w.result) }

func (w *workerProcess) read(value any) error {
	if err := w.output.Decode(value); err != nil {
		w.command.Process.Kill()
		w.command.Wait()
		return fmt.Errorf("worker: %w\n%s", err, &w.stderr)
	}
	return nil
}

// kill kills the worker. The kernel then kills the worker's Burble.
func (w *workerProcess) kill() {
	if w != nil && w.command.Process != nil {
		w.command.Process.Kill()
		w.command.Wait()
	}
}

// combine adds up the results of all workers. The latencies are those of the slowest worker.
func combine(p *report.Plan, workers []*workerProcess) *report.Result {
	sum := workers[0].result // its Redis commands and connections include those of all workers
	sum.Work = p.Work
	sum.Connections -= len(workers) - 1 // the other workers' own connections
	var server, bench, memory float64
	redis := sum.RedisCPU * float64(sum.Deliveries)
	for i, w := range workers {
		next := &w.result
		server += next.ServerCPU * float64(next.Deliveries)
		bench += next.BenchCPU * float64(next.Deliveries)
		memory += next.Memory * float64(next.Work.Clients)
		if i == 0 {
			continue
		}
		sum.Summary.Add(&next.Summary)
		sum.Resident += next.Resident
	}
	deliveries := max(1, float64(sum.Deliveries))
	sum.ServerCPU, sum.RedisCPU, sum.BenchCPU = server/deliveries, redis/deliveries, bench/deliveries
	sum.Memory = memory / float64(p.Work.Clients)
	return &sum
}

// runWorker is the main function of a worker.
func runWorker(ctx context.Context, args []string) error {
	var config worker
	if len(args) != 1 {
		return errors.New("worker: want one argument")
	}
	if err := json.Unmarshal([]byte(args[0]), &config); err != nil {
		return err
	}
	b := &bench{worker: &config, patience: config.Patience, clientsPerProcess: config.Work.Clients}
	b.launcher.Burble.Path = config.Burble
	res, err := b.runDelivery(ctx, &report.Plan{Target: "burble", Mode: "idle", Work: config.Work}, 0)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(res)
}

// waitForAll reports that all clients of this worker have joined, and waits until the other workers'
// clients have joined too.
func (w *worker) waitForAll() error {
	fmt.Println("true")
	_, err := bufio.NewReader(os.Stdin).ReadString('\n')
	return err
}

// openRedis starts a Redis for a run, or connects a worker to its parent's.
func (b *bench) openRedis(ctx context.Context) (*proc.Redis, error) {
	if b.worker == nil {
		return proc.StartRedis(ctx)
	}
	return proc.ConnectRedis(b.worker.Redis, b.worker.RedisPIDs), nil
}
