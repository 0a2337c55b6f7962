image "base" {
  tag    = "shop/base:1"
  rootfs = "busybox"
}

workspace {
  commit "first" {
    files   = "workspace"
    message = "Shop"
  }
}

image "shop" { commit = commit.first }

service "web" {
  port = 8080

  ready { get = "/" }
}
