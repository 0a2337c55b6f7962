# A pet that was mended by hand, and a repository that was never told.

lab "drift-lab" {
  title   = "The hotfix that drifted"
  level   = "beginner"
  minutes = 30
  teaches = ["drift", "pets and cattle", "build new, destroy old"]
}

# Values: drawn per learner, so that two learners' answers differ.

parameter "rate" {
  description = "Cents a night. Ends in 50, so that odd VAT on odd nights leaves half a cent to round."
  pick        = [8950, 9450, 10450, 11350]
}

parameter "vat" {
  description = "Per cent, odd."
  pick        = [7, 9, 13, 19]
}

parameter "city_tax" {
  description = "Cents a guest and night: in the repository, on the pet since Friday, and from today."
  pick = [
    { built = 150, friday = 180, today = 210 },
    { built = 170, friday = 190, today = 240 },
    { built = 200, friday = 250, today = 275 },
  ]
}

parameter "cap" {
  description = "Nights that the city taxes, since Friday."
  pick        = [3, 4, 5]
}

locals {
  stays = {
    short = { nights = 2, guests = 1 } # nothing to round, nothing to cap: today's change alone
    odd   = { nights = 1, guests = 2 } # half a cent of VAT
    long  = { nights = param.cap + 4, guests = 2 }
  }
  cents = { for name, stay in local.stays : name =>
    stay.nights * param.rate
    + floor((stay.nights * param.rate * param.vat + 50) / 100)
    + min(stay.nights, param.cap) * stay.guests * param.city_tax.today
  }
  quotes = { for name, stay in local.stays : name => {
    get  = "/cgi-bin/quote?nights=${stay.nights}&guests=${stay.guests}"
    body = ["total=${decimal(local.cents[name], 2)}"]
  } }
}

# The world: one production server, built long ago from the repository's first commit.

image "base" {
  tag    = "labctl/base:1"
  rootfs = "busybox"
}

workspace {
  commit "as_built" {
    files   = "workspace"
    message = "Booking: quotes, health, version"
    author  = "booking team <booking@hotel.example>"
    date    = "2023-03-06T10:12:00Z"
  }
}

image "booking" {
  commit = commit.as_built
}

service "booking" {
  port = 8080

  ready {
    get    = "/cgi-bin/health"
    within = "10s"
  }
  run {
    memory = "64m"
  }
}

scenario "drifted_pet" {
  start = true

  container "pet-01" {
    image  = image.booking
    serves = service.booking

    drift { script = file("scenarios/friday.sh") }
  }
  expect {
    failing    = [check.todays_change, check.replaced]
    provenance = "untouched"
    says       = ["pet-01 is still live"]
  }
}

# Wrong ways, each with what the grader must say.

scenario "patched_in_place" {
  run = file("scenarios/patched-in-place.sh")

  expect {
    failing    = [check.replaced]
    provenance = "patched"
    says       = ["pet-01 is still live", "~ /etc/booking.conf"]
  }
}

scenario "patched_and_restarted" {
  run = file("scenarios/patched-and-restarted.sh")

  expect {
    failing    = [check.replaced]
    provenance = "patched"
    says       = ["pet-01 is still live"]
  }
}

scenario "committed_pet" {
  run = file("scenarios/committed-pet.sh")

  expect {
    failing    = [check.built_from_repo]
    provenance = "laundered"
    says       = ["~ /srv/www/cgi-bin/quote", "+ /tmp/HOTFIX"]
  }
}

scenario "built_from_the_committed_pet" {
  run = file("scenarios/built-from-the-committed-pet.sh")

  expect {
    failing    = [check.built_from_repo]
    provenance = "laundered"
    says       = ["golden:friday"]
  }
}

scenario "rebuilt_but_lost_the_fix" {
  run = file("scenarios/rebuilt-but-lost-the-fix.sh")

  expect {
    failing    = [check.fridays_fix]
    provenance = "rebuilt"
    says       = ["expected ${local.quotes.odd.body[0]}"]
  }
}

scenario "built_from_uncommitted_changes" {
  run = file("scenarios/built-from-uncommitted-changes.sh")

  expect {
    failing    = [check.built_from_repo]
    provenance = "uncommitted"
    says       = ["not committed: booking.conf"]
  }
}

scenario "mounted_configuration" {
  run = file("scenarios/mounted-configuration.sh")

  expect {
    failing    = [check.run_as_declared, check.survives]
    provenance = "altered"
    says       = ["on /etc/booking.conf"]
  }
}

# The right way.

scenario "rebuilt_cattle" {
  run = file("scenarios/rebuilt-cattle.sh")

  expect {
    passed     = true
    provenance = "rebuilt"
    says       = ["web-001"]
  }
}

# What is asked: 100 points.

check "http" "todays_change" {
  title    = "Guests pay today's city tax"
  service  = service.booking
  requests = [local.quotes.short]
  points   = 15
  why      = "Finance announced the new tax for today; every quote with the old one is wrong."
  next     = "booking.conf in the repository holds the city tax. Change it there, not on a server."
}

check "http" "fridays_fix" {
  title    = "What Friday mended is still mended"
  service  = service.booking
  requests = [local.quotes.odd, local.quotes.long]
  requires = [check.todays_change]
  points   = 15
  why      = "A rebuild that forgets what was mended by hand brings the fault back."
  next     = "pet-01 knows what the repository does not. Compare its files with those it was built from."
}

check "provenance" "rebuilt" { # 70 points
  service = service.booking
}

hint {
  text = "What is on pet-01 that nobody ever committed? What would show it?"
}

hint {
  text = "`docker diff ${container.pet-01.name}` names the files that differ from the image. Compare them with the repository's."
}

hint {
  text = "Two files matter: the quote script and booking.conf. Take both into the repository, commit, make today's change, commit, build, and start a new container with `${service.booking.run}` after removing the pet."
}

quiz "just_this_once" {
  question = "A team logs into production to apply a hotfix: \"just this once, we will codify it later.\" What happens?"

  choice "a" {
    text    = "Nothing, as long as somebody writes the ticket."
    explain = "A ticket rebuilds no server. Until somebody works it off, each rebuild takes the fix away."
  }
  choice "b" {
    text    = "Production differs from the repository, and the next rebuild silently undoes the fix."
    explain = "That is drift. Nobody sees it until the server is replaced, and that is when you can least use a surprise."
    correct = true
  }
  choice "c" {
    text    = "The other environments pick the change up with their next deployment."
    explain = "They are built from the repository, which was never told. From now on a test there says less about production."
  }
  choice "d" {
    text    = "The server warns when it is replaced that it was changed by hand."
    explain = "No server keeps a list of what people did to it. Its files differ, and somebody has to look."
  }
}

quiz "for_good" {
  question = "The pet was mended by hand on Friday. Which of these bring production under the rule of the repository?"

  choice "a" {
    text    = "Run `docker commit` on the pet, and start production from that image."
    explain = "The pet is only embalmed. Nobody can say how the image was made, nor make it again on a newer base."
  }
  choice "b" {
    text    = "Write what Friday changed into the repository, build an image from the commit, start it, and destroy the pet."
    explain = "Pattern B: build new, destroy old. What runs is what the commit makes, and anybody can make it again."
    correct = true
  }
  choice "c" {
    text    = "Write what Friday changed into version control, and let a tool such as Ansible or Puppet make every server so, over and over."
    explain = "Pattern A: reconcile. It works because Friday's change went into version control first; otherwise the tool would have undone it."
    correct = true
  }
  choice "d" {
    text    = "Write into the wiki, step by step, what was done to the server."
    explain = "People follow a page almost exactly, and the page is old by the second change. What nobody runs, nobody tests."
  }
}

quiz "only_one" {
  question = "There is one production server, not a thousand. What do you gain by treating it as cattle?"

  choice "a" {
    text    = "Nothing. The discipline pays from a certain number of servers on."
    explain = "One server dies as surely as a thousand do, and then there is no other one left to copy from."
  }
  choice "b" {
    text    = "It fails less often."
    explain = "Disks and kernels do not know how a server was made. It fails as often as before, and costs less when it does."
  }
  choice "c" {
    text    = "You can afford to lose it: the next one comes from a commit, and is the same."
    explain = "Then a dead disk, a break-in and a deployment are all the same small job."
    correct = true
  }
}
