"""The models on which events are proved: errors, escalations, signals, conditions, event subprocesses, splits, loops.

Where BPMN leaves open which of two things that happen at once comes first, a model has only one of them.
"""

from __future__ import annotations

from tests.drawing import Drawn, draw

EVENT_MODELS: dict[str, Drawn] = {
    "an-error-out-of-a-subprocess": draw("""
        start s     -> again
        xor   again -> work
        sub   work  -> more {
            start ws   -> split
            and   split -> a b
            user  a    -> gate
            xor   gate -> wrong other we
            user  b    -> we
            end   wrong | error=E1
            end   other | error=E2
            end   we
        }
        error one on work -> c | code=E1
        error any on work -> d
        user  c     -> more
        user  d     -> more
        xor   more  -> again e
        end   e
    """),
    "an-error-that-passes-a-level": draw("""
        start s    -> outer
        sub   outer -> e {
            start os   -> inner
            sub   inner -> oe {
                start is  -> a
                user  a   -> gate
                xor   gate -> one two ie
                end   one | error=E1
                end   two | error=E2
                end   ie
            }
            error near on inner -> b | code=E2
            user  b    -> oe
            end   oe
        }
        error far on outer -> c
        timer late beside outer -> c
        user  c    -> e
        end   e
    """),
    "an-error-that-may-be-caught-nowhere": draw("""
        start s    -> a
        user  a    -> split
        and   split -> box b
        sub   box  -> e {
            start bs  -> c
            user  c   -> gate
            xor   gate -> one two
            end   one | error=E1
            end   two | error=E2
        }
        error one1 on box -> b | code=E1
        user  b    -> e
        end   e
    """),
    "an-error-out-of-calls-and-members": draw(
        """
        start s     -> again
        xor   again -> split
        and   split -> k part
        call  k     -> join | called=child; in.g=g
        error bad   on k -> f
        user  f     -> join
        sub   part  [each] -> join {
            start ps -> a
            user  a  -> gate
            xor   gate -> wrong pe
            end   wrong | error=E1
            end   pe
        }
        error off   on part -> h
        user  h     -> join
        or    join  -> more
        xor   more  -> again e
        end   e
        """,
        child="""
        start cs -> ca
        user  ca -> g
        xor   g  -> cwrong ce
        end   cwrong | error=E1
        end   ce
        """,
    ),
    "escalations-on-both-borders": draw("""
        start s     -> again
        xor   again -> work
        sub   work  -> more {
            start ws   -> a
            user  a    -> gate
            xor   gate -> tell leave we
            throw tell -> b | escalation=X1
            throw leave -> b | escalation=X2
            user  b    -> wend
            end   wend | escalation=X3
            end   we
        }
        escalation told beside work -> c | code=X1
        escalation left on work -> d | code=X2
        user  c     -> e
        user  d     -> more
        xor   more  -> again e
        end   e
    """),
    "an-escalation-goes-outwards": draw("""
        start s   -> outer
        sub   outer -> e {
            start os -> inner
            sub   inner -> oe {
                start is -> split
                and   split -> a b
                user  a  -> gate
                xor   gate -> up up2
                throw up -> c | escalation=X1
                throw up2 -> c | escalation=X2
                user  b  -> ie
                user  c  -> ie
                end   ie
            }
            handler h {
                escalation hs beside scope -> d | code=X1
                user  d  -> he
                end   he
            }
            end   oe
        }
        escalation far on outer -> f
        user  f   -> e
        end   e
    """),
    "signals-to-everything-that-waits": draw("""
        start s     -> again
        xor   again -> split
        and   split -> a wait work
        user  a     -> gate
        xor   gate  -> shout join
        throw shout -> join | signal=go
        signal wait -> c | name=go
        user  c     -> join
        sub   work  -> join {
            start ws -> split2
            and   split2 -> b pause
            signal pause -> d | name=go
            user  d  -> we
            user  b  -> we
            end   we
        }
        signal poke beside work -> f | name=go
        user  f     -> end2
        or    join  -> g
        user  g     -> more
        xor   more  -> again e
        end   end2 | signal=go
        end   e
    """),
    "a-signal-among-rivals": draw("""
        start s    -> split
        and   split -> first a
        events first -> heard came late
        signal heard -> b | name=halt
        message came -> c
        timer  late  -> d
        user  a    -> shout
        throw shout -> more | signal=halt
        user  b    -> e
        user  c    -> e
        user  d    -> e
        xor   more -> a e
        end   e
    """),
    "handlers-of-the-process": draw("""
        start s    -> again
        xor   again -> split
        and   split -> a b
        user  a    -> join
        user  b    -> join
        and   join -> more
        xor   more -> again e halt
        end   halt | error=E1
        handler note {
            message ns beside scope -> c
            user  c   -> ne
            end   ne
        }
        handler stop {
            message ss on scope -> d
            user  d   -> gate
            xor   gate -> se bad
            end   bad | error=E1
            end   se
        }
        handler wrong {
            error xs on scope -> f
            user  f   -> xe
            end   xe
        }
        end   e
    """),
    "handlers-inside-each-member": draw("""
        start s    -> a0
        user  a0   -> part
        sub   part [each] -> more {
            start ps  -> a
            user  a   -> gate
            xor   gate -> wrong b
            user  b   -> pe
            end   wrong | error=E1
            handler h {
                error hs on scope -> c
                user  c  -> he
                end   he
            }
            handler t {
                timer ts beside scope -> d
                user  d  -> te
                end   te
            }
            end   pe
        }
        xor   more -> a0 e
        end   e
    """),
    "handlers-of-a-called-process": draw(
        """
        start s   -> again
        xor   again -> k
        call  k   -> more | called=child; in.g=g
        escalation up beside k -> b
        user  b   -> e
        xor   more -> again e
        end   e
        """,
        child="""
        start cs -> ca
        user  ca -> g
        xor   g  -> ca ce
        handler ch {
            message chs on scope -> cb
            user  cb  -> up1
            throw up1 -> che | escalation=X1
            end   che
        }
        end   ce | escalation=X2
        """,
    ),
    "a-handler-within-a-handler": draw("""
        start s   -> a
        user  a   -> e
        handler h {
            message hs beside scope -> b
            user  b   -> gate
            xor   gate -> wrong he
            end   wrong | error=E1
            handler h2 {
                error h2s on scope -> c
                user  c   -> h2e
                end   h2e
            }
            end   he
        }
        end   e
    """),
    "cycles-that-remind": draw("""
        start s     -> again
        xor   again -> a
        user  a     -> more
        timer thrice beside a -> b | cycle=R3/PT1H
        timer often  beside a -> stop | cycle=R/P1D
        user  b     -> e
        handler h {
            timer hs beside scope -> c | cycle=R2/P1M
            user  c  -> he
            end   he
        }
        end   stop
        xor   more  -> again e
        end   e
    """),
    "conditions": draw("""
        start s     -> again
        xor   again -> split
        and   split -> a b
        user  a     -> until
        cond  until -> join
        user  b     -> join
        cond  also  beside b -> c
        user  c     -> e
        or    join  -> d
        user  d     -> more
        cond  enough on d -> more
        xor   more  -> again e
        end   e
    """),
    "a-condition-starts-a-handler": draw("""
        start s   -> work
        sub   work -> more {
            start ws -> a
            user  a  -> b
            user  b  -> gate
            xor   gate -> a we
            handler h {
                cond hs on scope -> c
                user c   -> he
                end  he
            }
            end   we
        }
        xor   more -> work e
        end   e
    """),
    "activities-that-split": draw("""
        start s    -> a b
        user  a    -> c ?d ?x
        user  b    -> ?c ?y *d
        xor   x    -> c
        xor   y    -> d
        manual c   -> join
        script d   -> join
        or    join -> f
        sub   f    -> ?g *e {
            start fs -> h
            user  h  -> fe
            end   fe
        }
        timer late on f -> g e
        user  g    -> a e
        end   e
    """),
    "loops-of-all-kinds": draw("""
        start s   -> a
        user  a   [again] -> b
        timer late on a -> b
        sub   b   [again] -> more | before=true; most=3 {
            start bs -> split
            and   split -> c d
            user  c  -> join
            user  d  -> join
            and   join -> f
            script f [again] -> be | most=2
            end   be
        }
        message note beside b -> g
        user  g   -> e
        xor   more -> a e
        end   e
    """),
}
