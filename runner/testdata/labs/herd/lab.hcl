# Two replicas behind a relay: none of them may stay a pet.

lab "herd" {
  title   = "Two of a kind"
  level   = "beginner"
  minutes = 10
  teaches = ["replicas"]
}

parameter "motd" {
  pick = [
    { built = "spring", today = "summer" },
    { built = "autumn", today = "winter" },
  ]
}

image "base" {
  tag    = "labctl-fixtures/herd:1"
  rootfs = "busybox"
}

workspace {
  commit "as_built" {
    files   = "workspace"
    message = "Message of the day"
  }
}

image "shop" {
  commit = commit.as_built
}

service "shop" {
  port     = 8090
  publish  = "relay"
  replicas = 2

  ready {
    get = "/cgi-bin/health"
  }
  run {
    memory = "64m"
    env    = { TIER = "herd" }
  }
}

scenario "pets" {
  start = true

  container "pet-01" {
    image  = image.shop
    serves = service.shop

    drift { script = file("scenarios/by-hand.sh") }
  }
  container "pet-02" {
    image  = image.shop
    serves = service.shop
  }
  expect {
    failing    = [check.todays_motd, check.replaced]
    provenance = "untouched"
  }
}

scenario "one_pet_left" {
  run = file("scenarios/one-pet-left.sh")

  expect {
    failing    = [check.replaced]
    provenance = "patched"
    says       = ["pet-02 is still live"]
  }
}

scenario "one_replica_short" {
  run = file("scenarios/one-replica-short.sh")

  expect {
    failing    = [check.as_many_as_before, check.replaced]
    provenance = "rebuilt"
    says       = ["1 of 2 containers are live"]
  }
}

scenario "one_patched" {
  run = file("scenarios/one-patched.sh")

  expect {
    failing    = [check.no_drift]
    provenance = "patched"
    says       = ["~ /etc/motd.conf"]
  }
}

scenario "different_images" {
  run = file("scenarios/different-images.sh")

  expect {
    failing    = [check.same_image]
    provenance = "rebuilt"
    says       = ["run another image than"]
  }
}

scenario "two_of_a_kind" {
  run = file("scenarios/two-of-a-kind.sh")

  expect {
    passed     = true
    provenance = "rebuilt"
  }
}

check "http" "todays_motd" {
  title   = "Everybody reads today's message"
  service = service.shop
  get     = "/cgi-bin/motd"
  body    = ["motd=${param.motd.today}"]
  points  = 20
}

check "assert" "as_many_as_before" {
  title         = "There are as many as at the start"
  condition     = length(live.shop) == length(start.shop)
  error_message = "The herd has another size than at the start."
  required      = false
}

check "provenance" "rebuilt" {
  service = service.shop
}

not_applicable "other-port" { reason = "labctl alone publishes the herd" }
not_applicable "shared-network" { reason = "labctl alone publishes the herd" }
not_applicable "any-address" { reason = "labctl alone publishes the herd" }
