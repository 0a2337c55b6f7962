package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/engine/fake"
	"github.com/labctl/labctl/scenarios/lab"
)

// fakeDocker is the docker command of the scripts, as far as they use it:
//
//	docker build [--quiet] [--tag TAG] DIR
//	docker run --detach [--name NAME] [--network N] [--network-alias A] [--publish IP:HOST:PORT] [--memory M] IMAGE
//	docker rm [--force] NAME
//	docker network create [--label NAME=VALUE] NAME
//	docker network ls
//	docker stop NAME
//	docker ps
func fakeDocker() {
	if err := dockerCommand(context.Background(), fake.Open(os.Getenv("FAKE_ENGINE")), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "docker:", err)
		os.Exit(1)
	}
}

func dockerCommand(ctx context.Context, e *fake.Engine, args []string) error {
	if len(args) == 0 {
		return errors.New("which command?")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	switch args[0] {
	case "build":
		flags.Bool("quiet", false, "")
		tag := flags.String("tag", "", "")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return dockerBuild(ctx, e, *tag, flags.Arg(0))
	case "run":
		return dockerRun(ctx, e, flags, args[1:])
	case "rm":
		flags.Bool("force", false, "")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return e.RemoveContainer(ctx, flags.Arg(0))
	case "network":
		return dockerNetwork(ctx, e, args[1:])
	case "stop":
		return e.Stop(args[1])
	case "ps":
		containers, err := e.Containers(ctx)
		if err != nil {
			return err
		}
		var names []string
		for _, c := range containers {
			names = append(names, c.Name)
		}
		slices.Sort(names)
		for _, name := range names {
			fmt.Println(name)
		}
		return nil
	}
	return fmt.Errorf("no such command: %s", args[0])
}

func dockerNetwork(ctx context.Context, e *fake.Engine, args []string) error {
	if len(args) == 1 && args[0] == "ls" {
		names, err := e.NetworkNames()
		for _, name := range names {
			fmt.Println(name)
		}
		return err
	}
	labels := map[string]string{}
	flags := flag.NewFlagSet("create", flag.ContinueOnError)
	flags.Func("label", "", func(label string) error {
		name, value, _ := strings.Cut(label, "=")
		labels[name] = value
		return nil
	})
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	return e.CreateNetwork(ctx, flags.Arg(0), false, labels)
}

func dockerBuild(ctx context.Context, e *fake.Engine, tag, dir string) error {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	id, err := e.Build(ctx, engine.BuildRequest{Context: &archive, Dockerfile: "Dockerfile", Tag: tag})
	fmt.Println(id)
	return err
}

func dockerRun(ctx context.Context, e *fake.Engine, flags *flag.FlagSet, args []string) error {
	spec := engine.ContainerSpec{Run: lab.Run{}}
	flags.Bool("detach", false, "")
	flags.StringVar(&spec.Name, "name", "", "")
	flags.StringVar(&spec.Network, "network", "", "")
	flags.StringVar(&spec.Alias, "network-alias", "", "")
	flags.StringVar(&spec.Run.Memory, "memory", "", "")
	publish := flags.String("publish", "", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	spec.Image = flags.Arg(0)
	if *publish != "" {
		at, port, err := cutLast(*publish)
		if err != nil {
			return err
		}
		spec.Publish = port
		host, number, err := net.SplitHostPort(at)
		if err != nil {
			return err
		}
		spec.HostIP = host
		if spec.HostPort, err = strconv.Atoi(number); err != nil {
			return err
		}
	}
	id, err := e.CreateContainer(ctx, spec)
	if err != nil {
		return err
	}
	fmt.Println(id)
	return e.StartContainer(ctx, id)
}

// cutLast splits IP:HOST:PORT before the container's port.
func cutLast(publish string) (at string, port int, err error) {
	i := len(publish) - 1
	for i >= 0 && publish[i] != ':' {
		i--
	}
	if i < 0 {
		return "", 0, fmt.Errorf("no address to publish at: %s", publish)
	}
	port, err = strconv.Atoi(publish[i+1:])
	return publish[:i], port, err
}
