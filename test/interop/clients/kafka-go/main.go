// Go's clients: `kafka-go franz|sarama host:port` produces, consumes in groups, lives transactions and administers. Prints a line
// for each thing found.
package main

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"time"
)

const (
	each = 30
	wait = 30 * time.Second
)

func say(what string, values ...any) {
	fmt.Println(strings.TrimSuffix(fmt.Sprintln(append([]any{what + ":"}, values...)...), "\n"))
}

func must(err error, what string) {
	if err != nil {
		fmt.Println("WRONG:", what, err)
		os.Exit(1)
	}
}

func sorted(values []string) string {
	sort.Strings(values)
	return strings.Join(values, " ")
}

func main() {
	switch os.Args[1] {
	case "franz":
		franz(os.Args[2])
	case "sarama":
		saramaDay(os.Args[2])
	}
}
