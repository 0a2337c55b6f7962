# Four servers behind one address, each ill in its own way.

lab "snowflake-lab" {
  title   = "The menagerie"
  level   = "beginner"
  minutes = 45
  teaches = ["drift", "fragile artifacts", "works of art", "snowflakes", "replicas"]
  after   = ["drift-lab"]
}

# Values: drawn per learner, so that two learners' answers differ.

parameter "rate" {
  description = "Cents a night, in the repository."
  pick        = [8000, 9000, 9500, 11000]
}

parameter "season" {
  description = "Cents a night more. Known to box-b's memory alone."
  pick        = [1200, 1500, 2000]
}

parameter "code" {
  description = "A partner's discount, in per cent. Known to box-a alone."
  pick = [
    { name = "ORBIT", percent = 10 },
    { name = "LYNX", percent = 15 },
    { name = "CEDAR", percent = 20 },
  ]
}

parameter "vat_id" {
  description = "On the hotel's letterhead. Known to box-c alone."
  between     = [10000000, 99999999]
}

locals {
  night = param.rate + param.season
  three = 3 * local.night * (100 - param.code.percent) / 100
}

# The world: four servers that were one service, once.

image "base" {
  tag    = "labctl/base:1"
  rootfs = "busybox"
}

workspace {
  commit "v1" {
    files   = "history/v1"
    message = "First version"
    author  = "booking team <booking@hotel.example>"
    date    = "2019-05-14T09:30:00Z"
  }
  commit "v3" { # laid over v1
    files   = "history/v3"
    message = "Season, partners' codes, configuration in /etc"
    author  = "booking team <booking@hotel.example>"
    date    = "2024-02-02T15:01:00Z"
  }
}

image "v1" { commit = commit.v1 }
image "v3" { commit = commit.v3 }

service "booking" {
  port     = 8080
  replicas = 4
  publish  = "relay" # one address for all: guests reach whichever box answers

  ready {
    get = "/cgi-bin/health"
  }
  run {
    memory = "64m"
  }
}

scenario "menagerie" {
  start = true

  container "box-a" { # drift: works here, fails there
    image  = image.v3
    serves = service.booking

    drift { script = file("scenarios/box-a.sh") }
  }
  container "box-b" { # a fragile artifact: one restart, and it is gone
    image  = image.v3
    serves = service.booking

    run {
      memory = "64m"
      tmpfs  = ["/run"]
    }
    drift { script = file("scenarios/box-b.sh") }
  }
  container "box-c" { # a work of art: only Carlos knows
    image  = image.base
    serves = service.booking

    run {
      memory  = "64m"
      init    = true
      command = ["sh", "-c", "until [ -d /srv/www/cgi-bin ]; do sleep 1; done; exec httpd -f -p 8080 -h /srv/www"]
    }
    drift { script = file("scenarios/box-c.sh") }
  }
  container "box-d" { # a snowflake: its own version, paths and modes
    image  = image.v1
    serves = service.booking

    drift { script = file("scenarios/box-d.sh") }
  }

  expect {
    failing    = [check.one_price, check.partners, check.invoices, check.replaced]
    provenance = "untouched"
  }
}

# Half the work: the repository knows everything, and production runs on as it was.

scenario "brought_home" {
  run = file("scenarios/rescue.sh")

  expect {
    failing    = [check.one_price, check.partners, check.invoices, check.replaced]
    provenance = "untouched"
  }
}

# Wrong ways, each with what the grader must say.

scenario "copied_around" {
  from = scenario.brought_home
  run  = file("scenarios/copied-around.sh")

  expect {
    failing    = [check.replaced]
    provenance = "patched"
    says       = ["box-a, box-b, box-c and box-d are still live"]
  }
}

scenario "golden_box" {
  from = scenario.brought_home
  run  = file("scenarios/golden-box.sh")

  expect {
    failing    = [check.built_from_repo]
    provenance = "unproven"
    says       = ["not put together by the Dockerfile"] # HEAD's files byte for byte, and still the old box
  }
}

scenario "three_and_a_pet" {
  from = scenario.brought_home
  run  = file("scenarios/three-and-a-pet.sh")

  expect {
    failing    = [check.replaced]
    provenance = "patched"
    says       = ["box-a is still live"]
  }
}

scenario "two_builds" {
  from = scenario.brought_home
  run  = file("scenarios/two-builds.sh")

  expect {
    failing    = [check.built_from_repo, check.same_image]
    provenance = "outdated"
  }
}

scenario "restarted_too_early" {
  run = file("scenarios/restarted-too-early.sh")

  expect {
    failing    = [check.one_price, check.partners, check.invoices, check.replaced]
    provenance = "untouched"
  }
}

scenario "season_lost" {
  from = scenario.restarted_too_early
  run  = file("scenarios/herd.sh")

  expect {
    failing    = [check.one_price, check.partners]
    provenance = "rebuilt"
  }
}

# The right way.

scenario "herd" {
  from = scenario.brought_home
  run  = file("scenarios/herd.sh")

  expect {
    passed     = true
    provenance = "rebuilt"
  }
}

# What is asked: 100 points. Every question is put to every replica.

check "http" "one_price" {
  title   = "Every server asks the same price"
  service = service.booking
  get     = "/cgi-bin/quote?nights=1"
  body    = ["total=${decimal(local.night, 2)}"]
  points  = 10
  why     = "A guest who reloads the page must not see another price."
  next    = "Ask the address several times, then look into the boxes. One of them knows the season; find out where it keeps it."
}

check "http" "partners" {
  title   = "Partners' codes work on every server"
  service = service.booking
  get     = "/cgi-bin/quote?nights=3&code=${param.code.name}"
  body    = ["total=${decimal(local.three, 2)}"]
  points  = 5
  why     = "Works on one box, fails on the next: that is drift, and guests meet it by chance."
  next    = "Compare /etc/booking.conf on each box with the repository's. The price has the season in it, too."
}

check "http" "invoices" {
  title   = "Every server writes invoices"
  service = service.booking
  get     = "/cgi-bin/invoice?guest=Ida"
  body    = ["VAT ${param.vat_id}", "invoice for Ida"]
  points  = 10
  why     = "Accounting must not depend on one server, and on what one person remembers."
  next    = "One box was made by hand. Its notes and its shell history say what an invoice needs."
}

check "provenance" "herd" { # 75 points
  service = service.booking
}

# The address is a relay's. No container of the learner's publishes one.

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
  text = "Ask `${service.booking.url}/cgi-bin/quote?nights=1` a few times. Why does the price change, and which box gave which?"
}

hint {
  text = "`docker diff NAME` shows which files of a box differ from its image, but nothing that is in memory: `labctl shoot NAME` tells that, too, before it asks whether to shoot. Three boxes know something that the repository does not, and one of them keeps it in memory."
}

hint {
  text = "Bring home box-a's codes, box-b's season (`docker exec ${container.box-b.name} cat /run/booking/season`), box-c's invoice script with its letterhead; nothing of box-d. COPY them all in the Dockerfile, commit, build once, remove all four boxes, and start four containers of that one image: `docker run --detach ${service.booking.run} IMAGE`."
}

quiz "fragile" {
  question = "A server works only because of a file in memory (tmpfs) that somebody wrote by hand. What is the safest next step?"

  choice "a" {
    text    = "Restart it, to see whether the file is needed at all."
    explain = "Then you know, and the only copy is gone."
  }
  choice "b" {
    text    = "Read the file, put what it says into the repository, build and start new servers, and only then remove this one."
    explain = "Rescue first. After that nothing is lost when it is shot."
    correct = true
  }
  choice "c" {
    text    = "Run `docker commit` on the container, so that the file is kept."
    explain = "A commit holds no memory: the file would not be in it. And of the rest nobody could say how it was made."
  }
}

quiz "names" {
  question = "A request works on box A and fails on box B. Which illness is that?"

  choice "a" {
    text    = "Drift"
    explain = "Two servers that were equal once were changed one by one. No single server shows it: it takes a second one to compare."
    correct = true
  }
  choice "b" {
    text    = "A fragile artifact"
    explain = "That one works until its first restart, and then nowhere."
  }
  choice "c" {
    text    = "A work of art"
    explain = "That one cannot be made again, because how it was made is in somebody's head."
  }
}

quiz "herd" {
  question = "The service runs on four identical replicas of one image now. Which of these hold?"

  choice "a" {
    text    = "Any one of them can be shot, and the next one is as good."
    explain = "No replica has anything of its own, so none can take anything with it."
    correct = true
  }
  choice "b" {
    text    = "A fault in the image is on all four."
    explain = "Yes: identical in what is right and in what is wrong. That is also why it can be found on any of them and is mended once."
    correct = true
  }
  choice "c" {
    text    = "The best one should be kept as a golden server, to copy from."
    explain = "There is no best one among equals. What is kept is the repository."
  }
  choice "d" {
    text    = "They stay equal as long as everybody is careful when logging in."
    explain = "Care is what the menagerie had, too. They stay equal because nobody changes them: they are replaced."
  }
}
