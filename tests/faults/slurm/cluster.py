"""A SLURM of its own for a test: munged, slurmctld and some slurmd on this host, without systemd. Needs root."""
import os, shutil, signal, socket, subprocess, time

PROGRAMS = 'munged', 'slurmctld', 'slurmd', 'sbatch', 'scontrol', 'sinfo', 'squeue', 'scancel'

CONF = '''ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
SlurmdParameters=config_overrides
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,sched_min_interval=0,batch_sched_delay=0
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
ReturnToService=2
SlurmdTimeout=10
SlurmctldTimeout=10
KillWait=3
WaitTime=0
MessageTimeout=10
JobRequeue=1
'''


def why_not():
    """Why there can be no cluster here; None if there can."""
    if os.geteuid() != 0:
        return 'a SLURM can be started by root only'
    missing = [p for p in PROGRAMS if not shutil.which(p)]
    return f"not installed: {', '.join(missing)} (packages slurm-wlm, munge)" if missing else None


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Cluster:
    def __init__(self, folder, nodes):
        self.folder = folder
        self.pids = []
        host = socket.gethostname().split('.')[0]
        for name in ['state'] + [f'spool.n{i}' for i in range(1, nodes + 1)]:
            os.makedirs(os.path.join(folder, name))
        os.chmod(folder, 0o755)
        conf = os.path.join(folder, 'slurm.conf')
        with open(conf, 'w') as f:
            f.write(CONF.format(host=host, port=free_port(), folder=folder))
            for i in range(1, nodes + 1):
                f.write(f'NodeName=n{i} NodeHostname={host} NodeAddr=127.0.0.1 Port={free_port()} CPUs=4 State=UNKNOWN\n')
            f.write(f'PartitionName=test Nodes=n[1-{nodes}] Default=YES MaxTime=60 State=UP OverSubscribe=NO\n')
        with open(os.path.join(folder, 'cgroup.conf'), 'w') as f:
            f.write('CgroupPlugin=cgroup/v1\n')
        self.env = dict(os.environ, SLURM_CONF=conf)
        try:
            self.start(nodes)
        except BaseException:
            self.stop()
            raise

    def start(self, nodes):
        key, at = os.path.join(self.folder, 'munge.key'), self.folder
        with open(key, 'wb') as f:
            f.write(os.urandom(128))
        os.chmod(key, 0o600)
        self.daemon('munged', '-F', '--force', f'--key-file={key}', f'--socket={at}/munge.socket', f'--pid-file={at}/munged.pid',
                    f'--log-file={at}/munged.log', f'--seed-file={at}/munged.seed')
        self.daemon('slurmctld', '-D', '-c')
        for i in range(1, nodes + 1):
            self.daemon('slurmd', '-D', '-N', f'n{i}')
        end = time.time() + 30
        while set(self.call('sinfo', '-h', '-o', '%T', check=False).split()) != {'idle'}:
            assert time.time() < end, 'the nodes of the test cluster do not come up'
            time.sleep(0.1)

    def daemon(self, *command):
        with open(os.path.join(self.folder, 'daemons.log'), 'a') as log:
            self.pids.append(subprocess.Popen(command, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL))

    def stop(self):
        self.call('scancel', '--user=root', check=False)
        end = time.time() + 10
        while self.call('squeue', '-h', check=False).strip() and time.time() < end:
            time.sleep(0.1)
        for process in reversed(self.pids):
            process.terminate()
        for process in self.pids:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)

    def call(self, *command, env=None, check=True):
        r = subprocess.run(command, env=dict(self.env, **(env or {})), capture_output=True, text=True, timeout=60)
        assert not check or r.returncode == 0, f"{' '.join(command)}: {r.stderr}"
        return r.stdout

    def show(self, job):
        """What `scontrol show job` says, by key."""
        return dict(pair.split('=', 1) for pair in self.call('scontrol', 'show', 'job', str(job)).split() if '=' in pair)

    def wait(self, job, states, seconds=120):
        end = time.time() + seconds
        while self.show(job)['JobState'] not in states:
            assert time.time() < end, f"job {job} is {self.show(job)['JobState']}, not {states}, after {seconds} s"
            time.sleep(0.2)
