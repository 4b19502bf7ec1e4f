package main

import (
	"fmt"
	"net"
	"strconv"
)

// listen listens on the configured address and port. If the port is taken, the error suggests another
// one.
func listen(config Config) (net.Listener, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(config.Listen, strconv.Itoa(config.Port)))
	if err == nil {
		return listener, nil
	}
	if port := freePort(config); port != 0 {
		return nil, fmt.Errorf("PORT: %w (port %d is free: set PORT=%d)", err, port, port)
	}
	return nil, fmt.Errorf("LISTEN and PORT: %w (LISTEN must be an address of this machine)", err)
}

// checkPort returns an error if listen would fail. Calling it early avoids starting Redis for nothing.
func checkPort(config Config) error {
	listener, err := listen(config)
	if err != nil {
		return err
	}
	return listener.Close()
}

// freePort returns a port near PORT on which listen would succeed, or 0.
func freePort(config Config) int {
	first := max(config.Port+1, 1024) // lower ports require privileges
	for port := first; port < min(first+20, 1<<16); port++ {
		listener, err := net.Listen("tcp", net.JoinHostPort(config.Listen, strconv.Itoa(port)))
		if err == nil {
			listener.Close()
			return port
		}
	}
	return 0
}

// localURL returns the URL of the listener for a browser on this machine.
func localURL(config Config, listener net.Listener) string {
	host := config.Listen
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
}
