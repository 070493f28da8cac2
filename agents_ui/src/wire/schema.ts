// Written by hand after docs/api.md, in the form that openapi-typescript gives it: to be replaced by the generated file.
// Nothing but types.ts imports it; types.ts narrows what is only a string here.

export interface components {
    schemas: {
        AcceptedView: {
            request: string;
        };
        AgentStateView: {
            name: "ready" | "not_ready" | "signed_out" | "reserved" | "talking" | "hold" | "wrap_up";
            reason: string | null;
            since: string | null;
            by: components["schemas"]["ByView"] | null;
            because: components["schemas"]["cti_server__api__shapes__BecauseView"] | null;
            pending: components["schemas"]["PendingView"] | null;
            until: string | null;
            phone: components["schemas"]["PhoneStateView"];
            on_shift: boolean;
        };
        Asked: {
            said?: string | null;
        };
        ByView: {
            kind: "agent" | "supervisor" | "system" | "pbx";
            name: string | null;
        };
        OnCallView: {
            agent: number | null;
            seat: string;
            name: string | null;
            state: "ringing" | "talking" | "hold" | "consulting" | "wrap_up" | "left";
            since: string | null;
        };
        Callback: {
            kind: "callback";
            from?: string | null;
            to?: string | null;
            number?: string | null;
            text: string;
        };
        CallBody: {
            call: components["schemas"]["CallView"];
            reason: string | null;
        };
        CallCustomerView: {
            id: number;
            name: string;
            tier: string | null;
        };
        Caller: {
            uniqueid: string;
            pbx?: string | null;
            ani?: string | null;
            ani_name?: string | null;
            dnis?: string | null;
        };
        CallList: {
            items: components["schemas"]["CallView"][];
        };
        CallTopic: {
            call: components["schemas"]["CallView"] | null;
            parts: components["schemas"]["PartView"][];
        };
        CallView: {
            call: string;
            interaction: number | null;
            pbx: string;
            direction: "inbound" | "outbound" | "internal";
            state: "ivr" | "queued" | "ringing" | "talking" | "held" | "parked" | "conference" | "ended";
            ani: string | null;
            ani_name: string | null;
            dnis: string | null;
            queue: string | null;
            position: number | null;
            path: components["schemas"]["StepView"][];
            started_at: string;
            queued_at: string | null;
            waiting_since: string | null;
            answered_at: string | null;
            ended_at: string | null;
            wait_ms: number | null;
            held_since: string | null;
            customer: components["schemas"]["CallCustomerView"] | null;
            verdict: string | null;
            match: string | null;
            agents: components["schemas"]["OnCallView"][];
            people: components["schemas"]["PersonView"][];
            recording: "off" | "on" | "paused";
            park_space: string | null;
            outcome: string | null;
            ended_by: string | null;
            complete: boolean;
            merged_into: string | null;
        };
        CandidateView: {
            customer: components["schemas"]["CustomerBriefView"];
            standing: string;
            reason: components["schemas"]["ReasonView"];
        };
        Card: {
            call: string;
            customer: components["schemas"]["CustomerView"] | null;
            number: components["schemas"]["NumberView"];
            match: components["schemas"]["MatchView"];
            verdict: components["schemas"]["VerdictView"];
            products: components["schemas"]["ProductView"][];
            cases: components["schemas"]["CaseView"][];
            notes: components["schemas"]["NoteView"][];
            recent: components["schemas"]["RecentView"][];
            promises: components["schemas"]["PromiseView"][];
            why: components["schemas"]["cti_server__lookup__shapes__BecauseView"][];
        };
        CardBody: {
            call: string;
            card: components["schemas"]["Card"] | null;
        };
        CaseView: {
            id: number;
            number: string;
            subject: string;
            status: string;
            priority: number;
            opened_at: string;
            due_at: string | null;
            closed_at: string | null;
        };
        Choice: {
            customer_id: number;
        };
        Claim: {
            desktop: string;
        };
        DoneBody: {
            request: string;
            command: string | null;
            call: string | null;
            ok: boolean;
            problem: components["schemas"]["ProblemView"] | null;
        };
        Conference: {
            target?: (components["schemas"]["cti_server__api__floor__control__ToAgent"] | components["schemas"]["ToQueue"] | components["schemas"]["ToNumber"]) | null;
        };
        ConsultationView: {
            leg: string | null;
            answered: boolean;
            with_them: boolean;
        };
        ContactPointView: {
            id: number;
            kind: string;
            label: string;
            raw: string;
            e164: string | null;
            extension: string | null;
            standing: string;
        };
        ContactTarget: {
            customer: components["schemas"]["CustomerBriefView"];
            number: string;
            label: string;
        };
        ContractBriefView: {
            number: string;
            verdict: string;
        };
        ContractView: {
            id: number;
            number: string;
            customer_id: number;
            service_level: components["schemas"]["ServiceLevelView"];
            starts_on: string;
            ends_on: string | null;
            minutes_total: number | null;
            minutes_used: number;
            status: string;
            status_reason: string | null;
        };
        CustomerBody: {
            customer: number;
            version: number;
        };
        CustomerBriefView: {
            id: number;
            kind: string;
            name: string;
            tier: string | null;
            company: components["schemas"]["Named"] | null;
        };
        CustomerChange: {
            company_id?: number | null;
            salutation?: string | null;
            role_title?: string | null;
            tier?: string | null;
            language?: ("en" | "zh") | null;
            time_zone?: string | null;
            preferred_agent_id?: number | null;
            remarks?: string | null;
            external_ref?: string | null;
            version: number;
            name?: string | null;
        };
        CustomerDetail: {
            id: number;
            kind: string;
            salutation: string | null;
            name: string;
            tier: string | null;
            company: components["schemas"]["Named"] | null;
            language: string | null;
            role_title: string | null;
            time_zone: string | null;
            preferred_agent: components["schemas"]["Named"] | null;
            remarks: string | null;
            external_ref: string | null;
            contact_points: components["schemas"]["ContactPointView"][];
            version: number;
            verdict: components["schemas"]["VerdictView"];
            contracts: components["schemas"]["ContractView"][];
            products: components["schemas"]["ProductView"][];
            cases: components["schemas"]["CaseView"][];
            notes: components["schemas"]["NoteView"][];
            people: components["schemas"]["CustomerBriefView"][];
        };
        CustomerPage: {
            items: components["schemas"]["CustomerRowView"][];
            next: string | null;
        };
        CustomerRowView: {
            id: number;
            kind: string;
            name: string;
            tier: string | null;
            company: components["schemas"]["Named"] | null;
            numbers: string[];
            contract: components["schemas"]["ContractBriefView"] | null;
        };
        CustomerTopic: {
            customer: number;
            version: number | null;
            promises: components["schemas"]["PromiseView"][];
        };
        CustomerView: {
            id: number;
            kind: string;
            salutation: string | null;
            name: string;
            tier: string | null;
            company: components["schemas"]["Named"] | null;
            language: string | null;
            role_title: string | null;
            time_zone: string | null;
            preferred_agent: components["schemas"]["Named"] | null;
            remarks: string | null;
            external_ref: string | null;
            contact_points: components["schemas"]["ContactPointView"][];
            version: number;
        };
        DayNumbers: {
            offered: number;
            handled: number;
            no_answer: number;
            rejected: number;
            outbound: number;
            ring_ms: number;
            talk_ms: number;
            hold_ms: number;
            wrap_ms: number;
            aht_ms: number | null;
            on_contact_ms: number;
            ready_ms: number;
            occupancy: number | null;
        };
        Dial: {
            to: string;
            from_page?: string | null;
        };
        Draft: {
            note?: string | null;
            code?: string | null;
            follow_up?: (components["schemas"]["Callback"] | components["schemas"]["OpenCase"]) | null;
        };
        DraftBody: {
            agent: number;
            draft: components["schemas"]["DraftView"];
        };
        DraftView: {
            interaction: number;
            segment: number;
            note: string | null;
            code: string | null;
            code_required: boolean;
            follow_up: {
                [key: string]: unknown;
            } | null;
            finished_at: string | null;
        };
        Drop: {
            leg: string;
        };
        FieldError: {
            at: string;
            message: string;
        };
        FinishedView: {
            interaction: number;
            segment: number;
            note: string | null;
            code: string | null;
            code_required: boolean;
            follow_up: {
                [key: string]: unknown;
            } | null;
            finished_at: string | null;
            promise: components["schemas"]["PromiseView"] | null;
            case: components["schemas"]["Named"] | null;
        };
        FloorTopic: {
            calls: components["schemas"]["CallView"][];
            queues: components["schemas"]["QueueView"][];
        };
        HandoverFrom: {
            agent: number;
            name: string;
        };
        HandoverView: {
            from: components["schemas"]["HandoverFrom"];
            kind: "transfer" | "consult";
            note: string | null;
            code: string | null;
            match: string | null;
            path: components["schemas"]["StepView"][];
            said: string | null;
            since: string | null;
        };
        Health: {
            status: "ok";
        };
        HelpBody: {
            help: components["schemas"]["HelpView"];
        };
        HelpView: {
            id: number;
            call: string;
            interaction: number | null;
            agent: components["schemas"]["Named"];
            said: string | null;
            state: "open" | "taken" | "done";
            asked_at: string;
            taken_by: components["schemas"]["Named"] | null;
            taken_at: string | null;
            done_at: string | null;
        };
        IdentifyAnswer: {
            variables: {
                [key: string]: string;
            };
        };
        InteractionBody: {
            interaction: number;
            customer: number | null;
        };
        InteractionPage: {
            items: components["schemas"]["InteractionView"][];
            next: string | null;
        };
        InteractionView: {
            id: number;
            channel: "voice" | "email" | "chat" | "visit" | "sms";
            direction: string;
            call: string | null;
            customer: components["schemas"]["Named"] | null;
            match: string | null;
            ani: string | null;
            ani_raw: string | null;
            ani_name: string | null;
            dnis: string | null;
            queue: string | null;
            path: components["schemas"]["StepView"][];
            language: string | null;
            verdict: unknown;
            subject: string | null;
            note: string | null;
            started_at: string;
            queued_at: string | null;
            answered_at: string | null;
            ended_at: string | null;
            wait_ms: number | null;
            ring_ms: number | null;
            talk_ms: number | null;
            hold_ms: number | null;
            ended_by: string | null;
            outcome: string | null;
            complete: boolean;
            segments: components["schemas"]["SegmentView"][];
        };
        Keys: {
            digits: string;
        };
        LinkBody: {
            pbx: string;
            state: "live" | "connecting" | "stale" | "refused";
            since: string | null;
            detail: string | null;
        };
        LinkView: {
            state: "live" | "connecting" | "stale" | "refused";
            since: string | null;
            detail: string | null;
        };
        MatchView: {
            standing: string;
            reason: components["schemas"]["ReasonView"];
            candidates: components["schemas"]["CandidateView"][];
        };
        Me: {
            id: number;
            login: string;
            name: string;
            role: "agent" | "supervisor" | "administrator";
            language: "en" | "zh";
            seat: string | null;
            extension: string | null;
            pbx: string | null;
            state: components["schemas"]["AgentStateView"];
            shift: components["schemas"]["ShiftView"] | null;
            queues: string[];
            preferences: components["schemas"]["PreferencesView"];
            may_pick: boolean;
            owed: number;
        };
        MeBody: {
            agent: number;
            pbx: string;
            state: components["schemas"]["AgentStateView"];
            queues: string[];
        };
        MemberBody: {
            pbx: string;
            queue: string;
            interface: string;
            member: components["schemas"]["MemberView"] | null;
        };
        MemberView: {
            interface: string;
            agent: number | null;
            name: string | null;
            seat: string;
            status: "idle" | "ringing" | "in_use" | "on_hold" | "unavailable" | "busy" | "invalid" | "unknown";
            paused: boolean;
            reason: string | null;
            penalty: number;
        };
        MessageBody: {
            message: components["schemas"]["MessageView"];
        };
        MessageList: {
            items: components["schemas"]["MessageView"][];
            read_to: number;
            unread: number;
        };
        ReadBody: {
            agent: number;
            read_to: number;
            unread: number;
        };
        MessageView: {
            id: number;
            at: string;
            from: components["schemas"]["Named"];
            to: components["schemas"]["ToView"];
            text: string;
            call: string | null;
        };
        MyDayView: {
            date: string;
            zone: string;
            from: string;
            to: string;
            numbers: components["schemas"]["DayNumbers"];
            states: components["schemas"]["StateTimeView"][];
            log: components["schemas"]["StateSpanView"][];
            formulas: {
                [key: string]: string;
            };
        };
        MyPhone: {
            phone?: string | null;
        };
        MySettings: {
            language?: ("en" | "zh") | null;
            auto_answer?: boolean | null;
        };
        MyState: {
            state: "ready" | "not_ready";
            reason?: string | null;
        };
        Named: {
            id: number;
            name: string;
        };
        NewContactPoint: {
            kind: "phone" | "email";
            raw: string;
            label: string;
            extension?: string | null;
            standing: "verified" | "shared" | "guess";
        };
        NewCustomer: {
            company_id?: number | null;
            salutation?: string | null;
            role_title?: string | null;
            tier?: string | null;
            language?: ("en" | "zh") | null;
            time_zone?: string | null;
            preferred_agent_id?: number | null;
            remarks?: string | null;
            external_ref?: string | null;
            kind: "person" | "company";
            name: string;
            contact_points: components["schemas"]["NewContactPoint"][];
        };
        NewMessage: {
            to: components["schemas"]["cti_server__api__agent__messages__ToAgent"] | components["schemas"]["ToRole"] | components["schemas"]["ToTeam"];
            text: string;
            call?: string | null;
        };
        NewNote: {
            text: string;
            pinned: boolean;
        };
        NewPromise: {
            customer_id: number;
            kind: "callback" | "visit" | "other";
            text: string;
            number?: string | null;
            from?: string | null;
            due: string;
            owner_id?: number | null;
            interaction_id?: number | null;
            remind_ms: number;
        };
        NewReason: {
            code: string;
            title_en: string;
            title_zh: string;
            position: number;
            active: boolean;
        };
        NewWrapUpCode: {
            code: string;
            title_en: string;
            title_zh: string;
            queue?: string | null;
            position: number;
            active: boolean;
        };
        NoteText: {
            text: string;
        };
        NoteView: {
            id: number;
            at: string;
            agent: components["schemas"]["Named"] | null;
            text: string;
            pinned: boolean;
        };
        Nothing: Record<string, never>;
        NumberView: {
            raw: string;
            e164: string | null;
            extension: string | null;
            kind: string;
            reason: string;
            place: string | null;
            place_zh: string | null;
        };
        OpenCase: {
            kind: "case";
            subject: string;
            text: string;
        };
        OwedItem: {
            interaction: components["schemas"]["InteractionView"];
            draft: components["schemas"]["DraftView"];
            because: "code" | "follow_up" | "unfinished";
        };
        OwedView: {
            count: number;
            items: components["schemas"]["OwedItem"][];
        };
        PartBody: {
            agent: number | null;
            call: string;
            part: components["schemas"]["PartView"];
            happened: "offered" | "answered" | "offer_ended" | "held" | "retrieved" | "left" | "wrapped" | "changed";
            reason: string | null;
            view: components["schemas"]["CallView"] | null;
            card: components["schemas"]["Card"] | null;
            handover: components["schemas"]["HandoverView"] | null;
        };
        PartView: {
            call: string;
            position: number;
            agent: number | null;
            seat: string;
            name: string | null;
            state: "ringing" | "talking" | "hold" | "consulting" | "wrap_up" | "left";
            since: string | null;
            reason: string | null;
            outcome: string | null;
            origin: string;
            queue: string | null;
            offered_at: string | null;
            answered_at: string | null;
            talk_ms: number;
            hold_ms: number;
            leg: string | null;
            muted: boolean;
            from: string | null;
            why: components["schemas"]["WhyView"] | null;
            wrap_up: components["schemas"]["WrapUpView"] | null;
            standing: "none" | "ringing" | "calling" | "talking" | "hold" | "reaching" | "consulting" | "alternated" | "consulted" | "conference" | "wrap_up";
            can: {
            [key: string]: string | null;
            };
            consultation: components["schemas"]["ConsultationView"] | null;
        };
        PendingView: {
            name: "ready" | "not_ready";
            reason: string | null;
            by: components["schemas"]["ByView"];
        };
        PersonView: {
            leg: string;
            role: "customer" | "agent" | "other";
            agent: number | null;
            seat: string | null;
            number: string | null;
            name: string | null;
            state: string;
        };
        PhoneAnswerBody: {
            call: string;
            leg: string | null;
        };
        PhoneClaimedBody: {
            desktop: string;
        };
        PhoneStateView: {
            seat: string | null;
            reachable: boolean | null;
            since: string | null;
        };
        PhoneView: {
            id: number;
            pbx: string;
            seat: string;
            extension: string;
            label_en: string | null;
            label_zh: string | null;
            kind: "desk" | "browser" | "other";
            personal: boolean;
            agent: components["schemas"]["Named"] | null;
            reachable: boolean | null;
        };
        PreferencesView: {
            auto_answer: boolean;
        };
        ProblemView: {
            type: string;
            title: string;
            status: number;
            detail: string;
            code: string;
            remedy?: string;
            errors?: components["schemas"]["FieldError"][];
            request?: string;
            draft?: {
                [key: string]: unknown;
            };
        };
        ProductView: {
            id: number;
            name: string;
            serial: string | null;
            installed_on: string | null;
            contract: string | null;
        };
        PromiseBody: {
            promise: components["schemas"]["PromiseView"];
        };
        PromiseChange: {
            version: number;
            state?: ("open" | "kept" | "broken" | "cancelled") | null;
            text?: string | null;
            number?: string | null;
            from?: string | null;
            due?: string | null;
            owner_id?: number | null;
        };
        PromisePage: {
            items: components["schemas"]["PromiseView"][];
            next: string | null;
        };
        PromiseView: {
            id: number;
            customer: components["schemas"]["Named"];
            kind: "callback" | "visit" | "other";
            text: string;
            number: string | null;
            from: string | null;
            due: string;
            remind_ms: number;
            state: "open" | "kept" | "broken" | "cancelled";
            owner: components["schemas"]["Named"] | null;
            created_by: components["schemas"]["Named"] | null;
            created_at: string;
            interaction: number | null;
            raised_at: string | null;
            broken_at: string | null;
            settled_at: string | null;
            version: number;
        };
        QueueBody: {
            queue: components["schemas"]["QueueView"];
        };
        QueueTopic: {
            queue: components["schemas"]["QueueView"];
            members: components["schemas"]["MemberView"][];
        };
        QueueTargetView: {
            pbx: string;
            queue: string;
            title_en: string;
            title_zh: string;
            waiting: number;
            longest_since: string | null;
            members: number;
            ready: number;
            busy: number;
            paused: number;
            off: number;
            ewt: number | null;
        };
        QueueView: {
            pbx: string;
            queue: string;
            title_en: string;
            title_zh: string;
            waiting: number;
            longest_since: string | null;
            members: number;
            ready: number;
            busy: number;
            paused: number;
            off: number;
        };
        Read: {
            up_to: number;
        };
        Readiness: {
            ready: boolean;
            database: string;
            links: {
                [key: string]: string;
            };
            journal_lag_ms: number;
        };
        ReasonCodeView: {
            code: string;
            title_en: string;
            title_zh: string;
            position: number;
            active: boolean;
        };
        ReasonsBody: {
            reasons: components["schemas"]["ReasonCodeView"][];
        };
        ReasonView: {
            code: string;
            params: {
                [key: string]: string | number | boolean | null;
            };
        };
        RecentView: {
            id: number;
            channel: string;
            direction: string;
            at: string;
            outcome: string | null;
            queue: string | null;
            agent: string | null;
            talk_ms: number | null;
            subject: string | null;
            note: string | null;
        };
        SegmentView: {
            position: number;
            agent: components["schemas"]["Named"] | null;
            seat: string | null;
            queue: string | null;
            origin: string;
            offered_at: string | null;
            answered_at: string | null;
            ended_at: string | null;
            ring_ms: number | null;
            talk_ms: number | null;
            hold_ms: number | null;
            outcome: string | null;
            wrapped_at: string | null;
            note: string | null;
            code: string | null;
            follow_up: {
                [key: string]: unknown;
            } | null;
            finished_at: string | null;
            owed: boolean;
        };
        ServiceLevelView: {
            code: string;
            name_en: string;
            name_zh: string;
            response_minutes: number | null;
            resolve_minutes: number | null;
            queue_priority: number;
        };
        SettingsBody: {
            agent: number;
            language: "en" | "zh";
            auto_answer: boolean;
        };
        ShiftView: {
            seat: string;
            extension: string | null;
            kind: "desk" | "browser" | "other";
            since: string;
        };
        SignIn: {
            login: string;
            password: string;
        };
        SnapshotView: {
            me: components["schemas"]["Me"] | null;
            links: {
            [key: string]: components["schemas"]["LinkView"];
            };
            calls: components["schemas"]["CallView"][];
            parts: components["schemas"]["PartView"][];
            cards: {
            [key: string]: components["schemas"]["Card"] | null;
            };
            queues: components["schemas"]["QueueView"][];
        };
        SoftphoneView: {
            url: string;
            uri: string;
            user: string;
            password: string;
            display_name: string;
            ice: {
                [key: string]: unknown;
            }[];
        };
        StateSpanView: {
            name: string;
            reason: string | null;
            since: string;
            until: string | null;
            by: {
                [key: string]: unknown;
            } | null;
            because: {
                [key: string]: unknown;
            } | null;
        };
        StateTimeView: {
            name: string;
            reason: string | null;
            ms: number;
        };
        StepView: {
            step: string;
            choice: string | null;
            at: string | null;
        };
        TargetsView: {
            agents: components["schemas"]["TeamMember"][];
            queues: components["schemas"]["QueueTargetView"][];
            contacts: components["schemas"]["ContactTarget"][];
        };
        TeamBody: {
            agents: components["schemas"]["TeamMember"][];
        };
        TeamMember: {
            agent: number;
            name: string;
            extension: string | null;
            role: "agent" | "supervisor" | "administrator";
            state: components["schemas"]["AgentStateView"];
            queues: string[];
        };
        TeamTopic: {
            team: components["schemas"]["TeamMember"][];
        };
        TicketView: {
            ticket: string;
            expires_in: number;
        };
        ToNumber: {
            kind: "number";
            number: string;
        };
        ToQueue: {
            kind: "queue";
            name: string;
        };
        ToRole: {
            role: "supervisors";
        };
        ToTeam: {
            team: true;
        };
        ToView: {
            agent: components["schemas"]["Named"] | null;
            role: "supervisors" | null;
            team: boolean;
        };
        Transfer: {
            target: components["schemas"]["cti_server__api__floor__control__ToAgent"] | components["schemas"]["ToQueue"] | components["schemas"]["ToNumber"];
            said?: string | null;
        };
        TypedDraft: {
            note?: string | null;
            code?: string | null;
            follow_up?: (components["schemas"]["Callback"] | components["schemas"]["OpenCase"]) | null;
            base?: string | null;
        };
        VerdictView: {
            code: string;
            rule: components["schemas"]["ReasonView"];
            contract: components["schemas"]["ContractView"] | null;
        };
        Wanted: {
            wanted: boolean;
        };
        Whose: {
            customer_id: number;
        };
        WhyView: {
            kind: string;
            queue: string | null;
            from: string | null;
            penalty: number | null;
            waited_ms: number | null;
        };
        WrapUpCodeView: {
            code: string;
            parent: string | null;
            queue: string | null;
            title_en: string;
            title_zh: string;
            position: number;
            active: boolean;
            leaf: boolean;
        };
        WrapUpView: {
            mode: "optional" | "mandatory" | "forced";
            ends_at: string | null;
            extensions_left: number;
            code: string | null;
            code_required: boolean;
            wanted: boolean;
        };
        cti_server__api__agent__messages__ToAgent: {
            agent: number;
        };
        cti_server__api__floor__control__ToAgent: {
            kind: "agent";
            id: number;
        };
        cti_server__api__shapes__BecauseView: {
            event: string;
            call: string | null;
            queue: string | null;
            number: string | null;
        };
        cti_server__lookup__shapes__BecauseView: {
            code: string;
            params: {
                [key: string]: string | number | boolean | null;
            };
            ref: string;
        };
    };
}
