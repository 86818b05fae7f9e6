//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Println("not measured: the far ends and the floors speak to the Linux kernel (epoll)")
	os.Exit(1)
}
