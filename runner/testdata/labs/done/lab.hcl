# Done is what was demonstrated in preprod before prod got it. Beside the shop
# runs a service that is not made of the repository.

lab "done" {
  title   = "Demonstrated, then promoted"
  level   = "intermediate"
  minutes = 15
  teaches = ["environments", "definition of done"]
}

parameter "motd" {
  pick = [
    { built = "spring", today = "summer" },
    { built = "autumn", today = "winter" },
  ]
}

environment "preprod" {
  run {
    memory = "64m"
  }
}

environment "prod" {
  like = environment.preprod
}

image "base" {
  tag    = "labctl-fixtures/done:1"
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

service "rates" {
  port    = 8091
  publish = "none"

  run {
    command = ["httpd", "-f", "-p", "8091", "-h", "/etc"]
  }
}

service "shop" {
  port = 8090

  ready {
    get = "/cgi-bin/health"
  }
}

scenario "pets" {
  start = true

  container "rates" {
    image  = image.base
    serves = service.rates

    run {
      command = ["httpd", "-f", "-p", "8091", "-h", "/etc"]
    }
  }
  container "pet" {
    image  = image.shop
    serves = service.shop

    drift { script = "echo by hand >/tmp/note" }
  }
  expect {
    failing    = [check.todays_motd, check.replaced, check.done]
    provenance = "untouched"
    says       = ["nothing was demonstrated in preprod"]
  }
}

scenario "straight_to_prod" {
  run = file("scenarios/straight-to-prod.sh")

  expect {
    failing    = [check.done]
    provenance = "rebuilt"
    says       = ["nothing was demonstrated in preprod"]
  }
}

scenario "another_image" {
  run = file("scenarios/another-image.sh")

  expect {
    failing    = [check.done]
    provenance = "rebuilt"
    says       = ["what was demonstrated in preprod is another image than"]
  }
}

scenario "too_late" {
  run = file("scenarios/too-late.sh")

  expect {
    failing    = [check.done]
    provenance = "rebuilt"
    says       = ["only after prod ran it already"]
  }
}

scenario "copied_record" {
  run = file("scenarios/copied-record.sh")

  expect {
    failing    = [check.done]
    provenance = "rebuilt"
    says       = ["what was demonstrated in preprod is another image than"]
  }
}

scenario "demonstrated" {
  run = file("scenarios/demonstrated.sh")

  expect {
    passed     = true
    provenance = "rebuilt"
    says       = ["demonstrated in preprod at"]
  }
}

check "http" "todays_motd" {
  title   = "Everybody reads today's message"
  service = service.shop
  get     = "/cgi-bin/motd"
  body    = ["motd=${param.motd.today}"]
  points  = 20
}

check "provenance" "rebuilt" {
  service = service.shop
  points  = 70
}

check "demonstrated" "done" {
  service = service.shop.preprod
  before  = environment.prod
  points  = 10
}
