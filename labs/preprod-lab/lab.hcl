# Three environments on a base past its end of life, and a fear of the next one.

lab "preprod-lab" {
  title   = "Keep pre-production current"
  level   = "intermediate"
  minutes = 40
  teaches = ["base image upgrades", "environments", "promotion"]
  after   = ["snowflake-lab"]
}

# Values: drawn per learner, so that two learners' answers differ.

parameter "hotel" {
  description = "Where the hotel stands, and by how many hours its clock is ahead of UTC. No zone is UTC itself: a lost one shows in winter and in summer."
  pick = [
    { city = "Vienna", zone = "Europe/Vienna", winter = 1, summer = 2 },
    { city = "Madrid", zone = "Europe/Madrid", winter = 1, summer = 2 },
    { city = "Helsinki", zone = "Europe/Helsinki", winter = 2, summer = 3 },
    { city = "Athens", zone = "Europe/Athens", winter = 2, summer = 3 },
    { city = "Istanbul", zone = "Europe/Istanbul", winter = 3, summer = 3 },
  ]
}

parameter "arrivals" {
  description = "One guest in winter and one in summer: as booking sites send it, and in UTC."
  pick = [
    { winter = { at = 1767265200, utc = "2026-01-01T11:00:00Z" }, summer = { at = 1783080000, utc = "2026-07-03T12:00:00Z" } },
    { winter = { at = 1771488000, utc = "2026-02-19T08:00:00Z" }, summer = { at = 1785924000, utc = "2026-08-05T10:00:00Z" } },
    { winter = { at = 1765467900, utc = "2025-12-11T15:45:00Z" }, summer = { at = 1781631000, utc = "2026-06-16T17:30:00Z" } },
  ]
}

locals {
  ahead = { winter = param.hotel.winter, summer = param.hotel.summer }
  arrivals = [for season, arrival in param.arrivals : {
    get  = "/cgi-bin/arrival?at=${arrival.at}"
    body = ["arrival=${formatdate("YYYY-MM-DD hh:mm", timeadd(arrival.utc, "${local.ahead[season]}h"))}"]
  }]
}

# Written in the order of promotion. Each has a network and an address of its own.

environment "dev" {}
environment "preprod" {}
environment "prod" {}

image "busybox" {
  tag    = "labctl/base:1"
  rootfs = "busybox"
}

image "base_1" {
  tag     = "preprod-lab/base:1"
  context = "images/base-1"
}

image "base_2" {
  tag     = "preprod-lab/base:2"
  context = "images/base-2"
}

workspace {
  commit "on_base_1" {
    files   = "workspace"
    message = "Booking on base 1"
    author  = "booking team <booking@hotel.example>"
    date    = "2022-08-01T08:00:00Z"
  }
}

image "booking" { commit = commit.on_base_1 }

service "booking" {
  port = 8080 # in every environment declared above

  ready {
    get = "/cgi-bin/health"
  }
  run {
    memory = "64m"
    env    = { HOTEL_ENV = each.environment } # all that may differ
  }
}

scenario "end_of_life" {
  start = true

  container "booking" { # booking-dev, booking-preprod, booking-prod
    image  = image.booking
    serves = service.booking
  }
  expect {
    failing    = [check.current_base, check.replaced]
    provenance = "untouched"
    says       = ["preprod-lab/base:1"]
  }
}

# Half the work: the repository is on base 2, and nothing runs on it.

scenario "upgraded" {
  run = file("scenarios/upgrade.sh")

  expect {
    failing    = [check.current_base, check.replaced]
    provenance = "untouched"
  }
}

# Wrong ways, each with what the grader must say.

scenario "prod_first" {
  from = scenario.upgraded
  run  = file("scenarios/prod-first.sh")

  expect {
    failing    = [check.promoted]
    provenance = "rebuilt"
  }
}

scenario "a_build_for_each" {
  from = scenario.upgraded
  run  = file("scenarios/a-build-for-each.sh")

  expect {
    failing    = [check.same_image, check.built_from_repo]
    provenance = "outdated"
  }
}

scenario "dev_stays" {
  from = scenario.upgraded
  run  = file("scenarios/dev-stays.sh")

  expect {
    failing    = [check.current_base, check.replaced]
    provenance = "untouched"
    says       = ["booking-dev is still live"]
  }
}

scenario "only_the_base" {
  run = file("scenarios/only-the-base.sh")

  expect {
    failing    = [check.current_base, check.replaced]
    provenance = "untouched"
  }
}

scenario "upgraded_untried" {
  from = scenario.only_the_base
  run  = file("scenarios/in-order.sh")

  expect {
    failing    = [check.hotel_time]
    provenance = "rebuilt"
    says       = ["expected ${local.arrivals[0].body[0]}"]
  }
}

scenario "mended_at_run" {
  from = scenario.only_the_base
  run  = file("scenarios/mended-at-run.sh")

  expect {
    failing    = [check.run_as_declared, check.survives]
    provenance = "altered"
    says       = ["/usr/share/zones/${param.hotel.zone}"]
  }
}

scenario "ready_for_base_2" {
  run = file("scenarios/all-but-the-base.sh")

  expect {
    failing    = [check.current_base, check.replaced]
    provenance = "untouched"
  }
}

scenario "all_but_the_base" {
  from = scenario.ready_for_base_2
  run  = file("scenarios/in-order.sh")

  expect {
    failing    = [check.current_base]
    provenance = "rebuilt"
  }
}

# The right way.

scenario "promoted_in_order" {
  from = scenario.upgraded
  run  = file("scenarios/in-order.sh")

  expect {
    passed     = true
    provenance = "rebuilt"
  }
}

# What is asked: 100 points, in every environment.

check "http" "hotel_time" {
  title    = "Guests arrive by the hotel's clock"
  service  = service.booking
  requests = local.arrivals
  points   = 10
  why      = "Health is green and the clock is wrong: only a question that matters finds it."
  next     = "Ask dev for an arrival on the old base and on the new one. What does the new base no longer bring?"
}

check "based_on" "current_base" {
  title   = "The base is one that gets patches"
  service = service.booking
  image   = image.base_2
  points  = 10
  why     = "Keeping up is the cheapest work on security there is, and cheapest when it is done early and often."
  next    = "The first line of the Dockerfile names the base."
}

check "provenance" "promoted" {
  service = service.booking
  points  = 80
}

hint {
  text = "Change the base, build, and replace dev alone. Then ask ${service.booking.dev.url} and ${service.booking.prod.url} for the same arrival. What differs?"
}

hint {
  text = "The script `www/cgi-bin/arrival` reads a file that the old base brought. Look: `docker run --rm preprod-lab/base:1 ls -R /usr/share/zones`, and the same with `preprod-lab/base:2`."
}

hint {
  text = "Put the zone's file into the repository (`mkdir -p zones/Europe; docker run --rm preprod-lab/base:1 cat /usr/share/zones/${param.hotel.zone} >zones/${param.hotel.zone}`), and `COPY zones /usr/share/zones` in the Dockerfile, below `FROM preprod-lab/base:2`. Commit, build once, and replace dev, then preprod, then prod with that one image, each with its own flags: `docker run --detach ${service.booking.dev.run} IMAGE`."
}

quiz "when" {
  question = "When is the best time to take a new base image into pre-production?"

  choice "a" {
    text    = "When production has to have it."
    explain = "Then pre-production has nothing to say about it: what breaks is found where it is most expensive."
  }
  choice "b" {
    text    = "As soon as it appears, every time."
    explain = "Steps are small then, what breaks is found early, and it is clear which step broke it."
    correct = true
  }
  choice "c" {
    text    = "Once a year, in one planned upgrade."
    explain = "A year of changes breaks several things at once, and nobody can tell which change broke which."
  }
  choice "d" {
    text    = "When others have used it for long enough that nothing can break."
    explain = "Others do not run your service. What breaks here was a file that only this service reads."
  }
}

quiz "fear" {
  question = "Developers ask to keep the old environment, since an update could break something. What do you answer?"

  choice "a" {
    text    = "They are right. An environment for development has to be stable above all."
    explain = "It is stable, and it is wrong: what works on it says nothing about production."
  }
  choice "b" {
    text    = "It may break something. That is what it is for: here it costs an hour."
    explain = "The fear is about a real breakage. It comes anyway, and the question is only where."
    correct = true
  }
  choice "c" {
    text    = "They get both: an old one to work in and a new one to test in."
    explain = "Then nobody works in the new one, and every difference between the two is found at the end."
  }
}

quiz "one_image" {
  question = "Why does the same image go through dev, preprod and prod, and not a new build of the same commit for each?"

  choice "a" {
    text    = "What was tried is then exactly what runs in production."
    explain = "A second build can pick up another base, another package, another day. The image that was tried cannot."
    correct = true
  }
  choice "b" {
    text    = "What differs between environments is then only what was declared to differ."
    explain = "Here that is one variable. Everything else is equal, because it is one thing."
    correct = true
  }
  choice "c" {
    text    = "Building takes too long."
    explain = "That is a pleasant side effect. Were builds free, the reason would still hold."
  }
}
