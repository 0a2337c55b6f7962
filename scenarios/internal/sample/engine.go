package sample

// ImageConfig is the configuration of an image of the service, as Docker 20.10
// tells it.
const ImageConfig = `{
	"Hostname": "", "Domainname": "", "User": "", "AttachStdin": false, "AttachStdout": false, "AttachStderr": false,
	"ExposedPorts": {"8080/tcp": {}}, "Tty": false, "OpenStdin": false, "StdinOnce": false,
	"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TZ=UTC"],
	"Cmd": ["httpd", "-f", "-p", "8080"], "Image": "", "Volumes": null, "WorkingDir": "", "Entrypoint": null, "OnBuild": null,
	"Labels": null
}`

// Config is the configuration of a container of that image.
const Config = `{
	"Hostname": "2222", "Domainname": "", "User": "", "AttachStdin": false, "AttachStdout": false, "AttachStderr": false,
	"ExposedPorts": {"8080/tcp": {}}, "Tty": false, "OpenStdin": false, "StdinOnce": false,
	"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TZ=UTC"],
	"Cmd": ["httpd", "-f", "-p", "8080"], "Image": "booking:2", "Volumes": null, "WorkingDir": "", "Entrypoint": null, "OnBuild": null,
	"Labels": {}
}`

// HostConfig is how docker run --memory 64m --publish 8080:8080 has it.
const HostConfig = `{
	"Binds": null, "ContainerIDFile": "", "LogConfig": {"Type": "json-file", "Config": {}}, "NetworkMode": "drift-lab-ann",
	"PortBindings": {"8080/tcp": [{"HostIp": "", "HostPort": "8080"}]},
	"RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}, "AutoRemove": false, "VolumeDriver": "", "VolumesFrom": null,
	"CapAdd": null, "CapDrop": null, "CgroupnsMode": "host", "Dns": [], "DnsOptions": [], "DnsSearch": [], "ExtraHosts": null,
	"GroupAdd": null, "IpcMode": "private", "Cgroup": "", "Links": null, "OomScoreAdj": 0, "PidMode": "", "Privileged": false,
	"PublishAllPorts": false, "ReadonlyRootfs": false, "SecurityOpt": null, "UTSMode": "", "UsernsMode": "",
	"ShmSize": 67108864, "Runtime": "runc", "ConsoleSize": [0, 0], "Isolation": "", "CpuShares": 0, "Memory": 67108864,
	"NanoCpus": 0, "CgroupParent": "", "Devices": [], "DeviceCgroupRules": null, "DeviceRequests": null,
	"MemorySwap": 134217728, "MemorySwappiness": null, "OomKillDisable": false, "PidsLimit": null, "Ulimits": null,
	"MaskedPaths": ["/proc/acpi", "/proc/kcore", "/sys/firmware"], "ReadonlyPaths": ["/proc/sys", "/proc/sysrq-trigger"]
}`
