lab "bases" {
  title   = "The base that got old"
  level   = "intermediate"
  minutes = 10
  teaches = ["keep pre-production current"]
}

environment "dev" {}
environment "preprod" {}
environment "prod" {}

# The bases come before what they are built on: labctl finds the order.
image "base_1" {
  tag     = "labctl-fixtures/bases:1"
  context = "base-1"
}

image "base_2" {
  tag     = "labctl-fixtures/bases:2"
  context = "base-2"
}

image "root" {
  tag    = "labctl-fixtures/bases-root:1"
  rootfs = "busybox"
}

workspace {
  commit "as_built" {
    files   = "workspace"
    message = "Say what it runs on"
  }
}

image "web" {
  commit = commit.as_built
}

service "web" {
  port = 8095

  ready {
    get = "/cgi-bin/os"
  }
}

scenario "pets" {
  start = true

  container "pet" {
    image  = image.web
    serves = service.web

    drift { script = "echo by hand >/tmp/note" }
  }
  expect {
    failing    = [check.current_os, check.current_base, check.replaced]
    provenance = "untouched"
    says       = ["pet-dev stands on labctl-fixtures/bases:1", "pet-prod stands on labctl-fixtures/bases:1"]
  }
}

scenario "moved" {
  run = file("scenarios/moved.sh")

  expect {
    passed     = true
    provenance = "rebuilt"
  }
}

scenario "moved_onto_scratch" {
  run = file("scenarios/moved-onto-scratch.sh")

  expect {
    passed     = true
    provenance = "rebuilt"
  }
}

scenario "os_release_copied" {
  run = file("scenarios/os-release-copied.sh")

  expect {
    failing    = [check.current_base]
    provenance = "rebuilt"
    says       = ["stands on labctl-fixtures/bases:1"]
  }
}

scenario "old_base_onto_scratch" {
  run = file("scenarios/old-base-onto-scratch.sh")

  expect {
    failing    = [check.current_base]
    provenance = "rebuilt"
    says       = ["stands on labctl-fixtures/bases:1, labctl-fixtures/bases:2, as HEAD's Dockerfile says"]
  }
}

scenario "dev_alone" {
  run = file("scenarios/dev-alone.sh")

  expect {
    failing    = [check.current_os, check.current_base, check.replaced]
    provenance = "untouched"
    says       = ["pet-preprod stands on labctl-fixtures/bases:1"]
  }
}

check "http" "current_os" {
  title   = "It runs on the current system"
  service = service.web
  get     = "/cgi-bin/os"
  body    = ["os=2"]
  points  = 10
}

check "based_on" "current_base" {
  service = service.web
  image   = image.base_2
  points  = 10
}

check "provenance" "rebuilt" {
  service = service.web
  points  = 80
}
