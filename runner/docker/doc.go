// Package docker is the Docker Engine behind package engine's seam. It is the
// only package of labctl that imports the Docker client, and the only one that
// imports testcontainers-go, for its wait strategies.
//
// It works against local engines from API 1.41 (Docker 20.10) on. Every method
// takes a context and gives up with it; no request is made without one. Text
// that comes from containers (logs, output, build steps) is passed on as it
// is: whoever shows it escapes it.
package docker
