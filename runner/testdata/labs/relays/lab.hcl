# Four replicas behind one address, and a vault in a network that nothing is
# published of.

lab "relays" {
  title   = "Many behind one address"
  level   = "beginner"
  minutes = 10
  teaches = ["replicas"]
}

environment "open" {}

environment "closed" { internal = true }

image "base" {
  tag    = "labctl-fixtures/relays:1"
  rootfs = "busybox"
}

workspace {
  commit "as_built" {
    files   = "workspace"
    message = "Who answers"
  }
}

image "who" {
  commit = commit.as_built
}

service "herd" {
  port         = 8070
  publish      = "relay"
  replicas     = 4
  environments = [environment.open]

  ready { get = "/cgi-bin/health" }
}

service "vault" {
  port         = 8070
  publish      = "relay"
  environments = [environment.closed]

  ready { get = "/cgi-bin/health" }
}

scenario "pets" {
  start = true

  container "pet-01" {
    image  = image.who
    serves = service.herd
  }
  container "pet-02" {
    image  = image.who
    serves = service.herd
  }
  container "pet-03" {
    image  = image.who
    serves = service.herd
  }
  container "pet-04" {
    image  = image.who
    serves = service.herd
  }
  container "safe" {
    image  = image.who
    serves = service.vault
  }
  expect { failing = [check.replaced] }
}

scenario "rebuilt" {
  run = <<-EOT
    image=$(docker build --quiet .)
    for pet in "$PET_01" "$PET_02" "$PET_03" "$PET_04"; do
      docker rm --force "$pet"
    done
    for i in 1 2 3 4; do docker run --detach $HERD_OPEN_RUN "$image"; done
  EOT

  expect { passed = true }
}

check "replaced" "replaced" {
  service = service.herd
  points  = 10
}
