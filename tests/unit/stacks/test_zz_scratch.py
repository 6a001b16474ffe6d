import asyncio, random, time, pytest
from growqr import names
from growqr.errors import EngineUnavailable
from growqr.stacks import Reconciler
from tests.fakes.runtimes import MemoryRuntime, World
from tests.unit.stacks.conftest import gitea_of, spec_of, running, until, journal
pytestmark = pytest.mark.anyio

class Slow(MemoryRuntime):
    def __init__(s, world, dice): super().__init__(world, can_pause=True); s.dice=dice; s.busy={}; s.clash=0; s.slow=True
    async def wait(s, name, most):
        if s.slow: await asyncio.sleep(s.dice.random()*most)
        if s.slow and s.dice.random()<0.05: raise EngineUnavailable("x")
    async def guard(s, name, what, most):
        if s.busy.get(name): s.clash+=1
        s.busy[name]=True
        try:
            await s.wait(name, most); return await what()
        finally: s.busy[name]=False
    async def ensure(s, spec, *, tell=None): return await s.guard(spec.name, lambda: MemoryRuntime.ensure(s,spec,tell=tell), 1.5)
    async def stop(s, name, *, pause=False): return await s.guard(name, lambda: MemoryRuntime.stop(s,name,pause=pause), 0.3)
    async def status(s, name):
        if s.slow: await asyncio.sleep(s.dice.random()*0.1)
        return await MemoryRuntime.status(s,name)

@pytest.mark.parametrize("seed", range(4))
async def test_story(store, alice, seed):
    dice=random.Random(seed); world=World(); rt=Slow(world,dice)
    both={"opencode":spec_of,"gitea":gitea_of}
    a=Reconciler(store,rt,both,holder="a",ttl=1.0); b=Reconciler(store,rt,both,holder="b",ttl=1.0)
    async with running(a), running(b):
        end=time.monotonic()+12
        while time.monotonic()<end:
            role=dice.choice(["opencode","gitea"]); name=names.service(role,alice.id)
            match dice.randrange(6):
                case 0|1: await store.services.want(alice.id,role,"ready",again=dice.random()<.5, anew=dice.random()<.2)
                case 2: await store.services.want(alice.id,role,"stopped")
                case 3: await store.services.touch(alice.id,role)
                case 4 if name in world.services: world.end(name,"killed")
                case 5 if name in world.services: world.vanish(name)
            await asyncio.sleep(dice.random()*0.3)
        rt.slow=False
        for role,w in (("opencode","ready"),("gitea",dice.choice(["ready","stopped"]))):
            await store.services.want(alice.id,role,w,again=True)
            async def well():
                s=await store.services.get(alice.id,role); r=world.services.get(names.service(role,alice.id))
                if w=="stopped": return s.state=="stopped" and r is None
                return s.state=="ready" and r is not None and not r.ended and r.spec.generation==s.generation and r.spec.sha==s.spec_sha
            await until(well, 6)
    starts=[s.generation for s in world.starts if s.role=="opencode"]
    assert starts==sorted(set(starts)), starts
    ev=await journal(store,alice); assert [e.seq for e in ev]==list(range(1,len(ev)+1))
    print("seed",seed,"starts",len(world.starts),"events",len(ev),"clashes",rt.clash)
