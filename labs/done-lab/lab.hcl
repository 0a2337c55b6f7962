# Unit tests pass, the review is approved, and it falls over where it counts.

lab "done-lab" {
  title   = "Redefine done"
  level   = "intermediate"
  minutes = 45
  teaches = ["definition of done", "production-like environments", "promotion"]
  after   = ["preprod-lab"]
}

# Values: drawn per learner, so that two learners' answers differ.

parameter "points" {
  description = "Points a night, by environment."
  pick = [
    { laptop = 10, preprod = 11, prod = 12 },
    { laptop = 20, preprod = 22, prod = 25 },
    { laptop = 5, preprod = 7, prod = 8 },
  ]
}

parameter "factor" {
  description = "The partner's campaign multiplies points by it."
  pick        = [2, 3, 4]
}

parameter "guest" {
  description = "Who asks for points."
  between     = [100, 499]
}

locals {
  # In stays.csv line n is of guest n % 500, who stayed n % 7 + 1 nights; n is
  # 1 to 15000.
  nights = sum([for k in range(30) : (param.guest + 500 * k) % 7 + 1])
}

# Written in the order of promotion. The laptop is as laptops are; preprod is like
# prod, and prod lets a program do little.

environment "laptop" {
  values = { per_night = param.points.laptop }
}

environment "preprod" {
  like   = environment.prod
  values = { per_night = param.points.preprod }
}

environment "prod" {
  values   = { per_night = param.points.prod }
  internal = true # no way out

  run {
    read_only = true
    user      = "1000"
    memory    = "16m"
  }
}

image "base" {
  tag    = "labctl/base:1"
  rootfs = "busybox"
}

image "partner" { context = "images/partner" }

workspace {
  commit "release" {
    files   = "release"
    message = "Release 7"
    author  = "booking team <booking@hotel.example>"
    date    = "2024-05-06T14:00:00Z"
  }
  commit "story" { # laid over the release
    files   = "story"
    message = "Loyalty points (tests pass, review approved)"
    author  = "booking team <booking@hotel.example>"
    date    = "2024-05-17T16:55:00Z"
  }
}

image "release" { commit = commit.release }
image "story" { commit = commit.story }

service "partner" { # the internet, as far as the laptop sees it
  port         = 8080
  publish      = "none"
  environments = [environment.laptop]
}

service "booking" {
  port          = 8080
  publish       = "relay"                # nothing can be published of an internal network
  runtime_paths = ["/srv/booking.log"] # what the story writes while it runs

  ready {
    get    = "/cgi-bin/health"
    within = "20s"
  }
  run {
    env = { POINTS_PER_NIGHT = each.values.per_night }
  }
}

scenario "works_on_the_laptop" {
  start = true

  container "partner" {
    image  = image.partner
    serves = service.partner
  }
  container "booking-laptop" {
    image  = image.story
    serves = service.booking.laptop
  }
  container "booking-preprod" {
    image  = image.release
    serves = service.booking.preprod
  }
  container "booking-prod" {
    image  = image.release
    serves = service.booking.prod
  }

  expect {
    failing    = [check.points, check.demonstrated, check.replaced]
    provenance = "untouched"
  }
}

# Wrong ways, each with what the grader must say.

scenario "shipped_as_it_is" {
  run = file("scenarios/everywhere-at-once.sh")

  expect {
    failing    = [check.points, check.demonstrated, check.replaced, check.no_drift] # the laptop's wrote below /srv
    provenance = "none"
  }
}

scenario "cage_loosened" {
  run = file("scenarios/loosened.sh")

  expect {
    failing    = [check.demonstrated, check.run_as_declared, check.no_drift, check.survives]
    provenance = "patched"
  }
}

# Half the work: the story is fit for production, and does not run there.

scenario "fit_for_production" {
  run = file("scenarios/fit-for-production.sh")

  expect {
    failing    = [check.points, check.demonstrated, check.replaced]
    provenance = "untouched"
  }
}

scenario "a_build_for_each" {
  from = scenario.fit_for_production
  run  = file("scenarios/a-build-for-each.sh")

  expect {
    failing    = [check.same_image, check.built_from_repo, check.demonstrated]
    provenance = "outdated"
  }
}

scenario "straight_to_prod" {
  from = scenario.fit_for_production
  run  = file("scenarios/everywhere-at-once.sh")

  expect {
    failing    = [check.demonstrated]
    provenance = "rebuilt"
  }
}

# The right way.

scenario "demonstrated_then_promoted" {
  from = scenario.fit_for_production
  run  = file("scenarios/demonstrated-then-promoted.sh")

  expect {
    passed     = true
    provenance = "rebuilt"
  }
}

# All is right, and then somebody lets prod out, "only until the campaign is over".

scenario "a_way_out" {
  from = scenario.demonstrated_then_promoted
  run  = file("scenarios/a-way-out.sh")

  expect {
    failing    = [check.run_as_declared]
    provenance = "altered"
    says       = ["network bridge"]
  }
}

# What is asked: 100 points.

check "http" "points" {
  title   = "Guests see their points, by each environment's own rate"
  service = service.booking
  get     = "/cgi-bin/points?guest=guest${param.guest}"
  body    = ["points=${local.nights * each.values.per_night * param.factor}"]
  points  = 10
  why     = "The story is about this number. On the laptop it was right, with the laptop's rate."
  next    = "Run the image by hand with preprod's flags, ask it for points, and read what `docker logs` says."
}

check "demonstrated" "demonstrated" {
  title     = "It was seen to work in preprod before prod got it"
  service   = service.booking.preprod
  before    = environment.prod
  behaviour = [check.points]
  points    = 10
  why       = "Done means that somebody saw it work where production's rules hold, before it was production."
  next      = "Start the image in preprod and run `labctl check`, which sees it work there. Then start the same image in prod."
}

check "provenance" "shipped" {
  service = service.booking
  points  = 80
}

# Nothing can be edited where nothing can be written. That is what a read-only
# root filesystem is for.

not_applicable "pet-exec" {
  reason = "preprod and prod are read-only, and take no edit"
}

not_applicable "pet-exec-kept" {
  reason = "preprod and prod are read-only, and take no edit"
}

not_applicable "pet-copy-in" {
  reason = "preprod and prod are read-only, and take no edit"
}

not_applicable "pet-restart" {
  reason = "preprod and prod are read-only, and take no edit"
}

not_applicable "pet-rename" {
  reason = "preprod and prod are read-only, and take no edit"
}

not_applicable "pet-memory" {
  reason = "preprod and prod are read-only, and take no edit"
}

not_applicable "fresh-exec" {
  reason = "preprod and prod are read-only, and take no edit"
}

not_applicable "fresh-exec-kept" {
  reason = "preprod and prod are read-only, and take no edit"
}

not_applicable "fresh-copy-in" {
  reason = "preprod and prod are read-only, and take no edit"
}

not_applicable "fresh-restart" {
  reason = "preprod and prod are read-only, and take no edit"
}

not_applicable "fresh-rename" {
  reason = "preprod and prod are read-only, and take no edit"
}

not_applicable "fresh-memory" {
  reason = "preprod and prod are read-only, and take no edit"
}

not_applicable "fresh-created" {
  reason = "preprod and prod are read-only, and take no edit"
}

not_applicable "command" {
  reason = "preprod and prod are read-only: what edits when it starts dies there"
}

not_applicable "entrypoint" {
  reason = "preprod and prod are read-only: what edits when it starts dies there"
}

not_applicable "health-command" {
  reason = "preprod and prod are read-only: what edits when it starts dies there"
}

not_applicable "other-port" {
  reason = "no container of the service is published on the host"
}

not_applicable "shared-network" {
  reason = "no container of the service is published on the host"
}

not_applicable "any-address" {
  reason = "no container of the service is published on the host"
}

hint {
  text = "Start the story's image with exactly what preprod asks for: `docker run --rm ${service.booking.preprod.run} IMAGE`. What does it say before it dies, and what is the next thing, once that is mended?"
}

hint {
  text = "There are four things that the laptop forgives: it fetches from the internet when it starts, writes below `/srv`, has its rate built in, and lays out a page of 40 MB in memory for one number. The last one kills no server: it makes a wrong answer with a good status. Ask for points, and compare with the laptop."
}

hint {
  text = "`/srv/campaign` of the laptop's container belongs into the repository, as `srv/campaign`, and is not fetched by `srv/start` any more. The log goes to standard error (`>&2`). The rate is in `$POINTS_PER_NIGHT`. awk can add up while it reads: `awk -F, '$1 == guest { sum += $2 } END { print sum + 0 }'`. Commit, build once, replace laptop and preprod, run `labctl check`, and then replace prod with the same image: `docker run --detach ${service.booking.prod.run} IMAGE`."
}

quiz "upside" {
  question = "A definition of done says: unit tests pass, and the review is approved. Somebody proposes to add: it was demonstrated in a production-like environment. What is gained?"

  choice "a" {
    text    = "What breaks only there is found before it ships, while it is cheap to mend."
    explain = "And at the end of each interval there is something that could ship, if one wanted to."
    correct = true
  }
  choice "b" {
    text    = "Unit tests are not needed any longer."
    explain = "They find other faults, sooner, and say where. What they cannot know is where the code will run."
  }
  choice "c" {
    text    = "Deployment is exercised each time, so that its own faults are found, too."
    explain = "By the end of a project it has been done hundreds of times, and the time that counts is one more of them."
    correct = true
  }
  choice "d" {
    text    = "The operations team can be made responsible for what fails."
    explain = "The opposite: who writes a feature sees it run where it will run."
  }
}

quiz "production_like" {
  question = "What makes an environment production-like?"

  choice "a" {
    text    = "It has as much memory and as many servers as production."
    explain = "It may be smaller. Equal size shows faults of load, and leaves out those that this lab is about."
  }
  choice "b" {
    text    = "The same rules hold in it: what may be written, who one is, what can be reached, where configuration comes from."
    explain = "Those are what the story fell over. They come from the same declaration, so that they cannot grow apart."
    correct = true
  }
  choice "c" {
    text    = "It has a copy of production's data."
    explain = "That may help, and it is often not allowed. It does not make a root filesystem read-only."
  }
}

quiz "works_here" {
  question = "The points service answered `points=0` with status 200 in preprod, and health was green. What was the best sign that something was wrong?"

  choice "a" {
    text    = "The health check, had it been asked more often."
    explain = "It was green each time, and would have been for ever."
  }
  choice "b" {
    text    = "A question whose right answer was known beforehand."
    explain = "That is what demonstrating is: not that it runs, but that it is right."
    correct = true
  }
  choice "c" {
    text    = "The status code of the answer."
    explain = "It was 200. A process that was killed for its memory left an empty number, and the shell counts that as 0."
  }
}
