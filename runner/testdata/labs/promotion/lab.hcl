# Two environments: one image, tried in dev, then in prod.

lab "promotion" {
  title   = "From dev to prod"
  level   = "beginner"
  minutes = 10
  teaches = ["environments", "promotion"]
}

parameter "motd" {
  pick = [
    { built = "spring", today = "summer" },
    { built = "autumn", today = "winter" },
  ]
}

environment "dev" {
  values = { tier = "try" }

  run {
    memory = "64m"
  }
}

environment "prod" {
  values = { tier = "sell" }
  like   = environment.dev
}

image "base" {
  tag    = "labctl-fixtures/promotion:1"
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
  port = 8090

  ready {
    get = "/cgi-bin/health"
  }
  run {
    env = { TIER = each.values.tier }
  }
}

scenario "pets" {
  start = true

  container "pet" {
    image  = image.shop
    serves = service.shop

    drift { script = "echo by hand >/tmp/note" }
  }
  expect {
    failing    = [check.todays_motd, check.replaced]
    provenance = "untouched"
    says       = ["pet-dev is still live", "pet-prod is still live"]
  }
}

scenario "dev_alone" {
  run = file("scenarios/dev-alone.sh")

  expect {
    failing    = [check.todays_motd, check.replaced]
    provenance = "untouched"
    says       = ["pet-prod is still live"]
  }
}

scenario "prod_first" {
  run = file("scenarios/prod-first.sh")

  expect {
    failing    = [check.promoted]
    provenance = "rebuilt"
    says       = ["prod before dev"]
  }
}

scenario "two_builds" {
  run = file("scenarios/two-builds.sh")

  expect {
    failing    = [check.same_image]
    provenance = "rebuilt"
    says       = ["run another image than"]
  }
}

scenario "older_commit_in_prod" {
  run = file("scenarios/older-commit-in-prod.sh")

  expect {
    failing    = [check.built_from_repo, check.same_image]
    provenance = "outdated"
    says       = ["which is not the last"]
  }
}

scenario "dev_values_in_prod" {
  run = file("scenarios/dev-values-in-prod.sh")

  expect {
    failing    = [check.todays_motd, check.run_as_declared]
    provenance = "altered"
    says       = ["tier=sell", "TIER"]
  }
}

scenario "promoted_in_order" {
  run = file("scenarios/promoted-in-order.sh")

  expect {
    passed     = true
    provenance = "rebuilt"
  }
}

check "http" "todays_motd" {
  title   = "Everybody reads today's message"
  service = service.shop
  get     = "/cgi-bin/motd"
  body    = ["motd=${param.motd.today}", "tier=${each.values.tier}"]
  points  = 20
}

check "provenance" "rebuilt" {
  service = service.shop
  points  = 80
}
