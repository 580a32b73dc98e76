"""The words of the generated text. Changing them changes what every seed produces."""

NOUNS = """
archive audio backlog backup balance bandwidth banner baseline battery benchmark binary blueprint board
bootloader branch bridge browser budget bug builder bundle cable cache calendar camera card catalogue
certificate change channel chapter charter checklist circle client clock cloud cluster code collection
colour command comment commit committee community compiler component concept conference configuration
connection console container contract contributor controller conversation copy counter coverage crash
credit curve customer cycle daemon dashboard database deadline decision default delay delivery demo
dependency deployment description design desktop device dialog dictionary directory discussion disk
display distribution document domain draft driver editor element engine entry error estimate evening
event evidence example exception experiment export extension failure feature feedback field file filter
firmware flag folder font forecast format forum foundation framework friend function gateway goal
graph group guide handler handbook hardware header history hook host icon idea identity image import
incident index installer instance interface interval invitation issue item journal kernel key keyboard
label language laptop latency launcher layer layout leader learner ledger library licence limit line
link list loader location lock log loop machine mailbox maintainer manager manual map marker memory
menu merge message method metric migration milestone mirror mission mode model module monitor morning
mount network newcomer node notebook notice notification number object observation office operator
option order organisation outcome outline output overview owner package page panel parameter parser
partition partner password patch path pattern performance permission phone picture pilot pipeline plan
platform plugin point policy pool port portal position post practice preference presentation printer
priority privacy process product profile programme progress project promise prompt proposal protocol
provider proxy purpose question queue quota reader reason receipt record recovery region register
release reminder remote replica report repository request requirement research resource response
restore result review revision reward rhythm risk roadmap role rollout root round route routine rule
runtime sample scanner scenario schedule schema scope screen script search season section security
sensor sentence server service session setting shell signal signature site sketch slide snapshot
software solution source speaker specification speed sponsor sprint stack stage standard statement
station status step storage story strategy stream structure student style suggestion suite summary
support surface survey switch symbol system table target task team template terminal test theme theory
thread ticket tool topic touchpad track traffic training transfer translation trend trigger tutorial
update upgrade upload upstream user utility vendor version video view vision visitor volume volunteer
vote wallpaper warning website weekend widget window wireless word worker workflow workshop workspace
""".split()

ADJECTIVES = """
able accessible accurate active actual additional affordable agreed ambitious annual automatic available
awkward basic better bigger bold brief broken calm careful central cheap clean clear clever close common
compact complete complex concrete confusing consistent constant convenient correct critical current
custom daily dedicated deep detailed different difficult direct double early easy effective efficient
elegant empty encrypted entire equal essential exact existing expensive experimental explicit external
fair familiar fast final fine flexible formal forgotten fragile free frequent fresh friendly full
generic gentle global good gradual graphical great hard healthy heavy helpful hidden honest huge ideal
identical important incomplete independent informal initial internal invisible joint large late latest
lean legacy lightweight likely limited little local long loud main manual many mature meaningful
measurable minimal missing mobile modern modest modular monthly narrow native natural neat necessary new
next noisy normal obvious official old open optional ordinary original outdated overall parallel partial
patient perfect permanent personal plain popular portable positive possible practical precise preferred
previous primary private proper public quick quiet random rare raw ready realistic recent regional
regular related relevant reliable remaining remote repeated rough round safe scalable secondary secure
selected senior separate serious shared short silent similar simple single slow small smart smooth solid
special stable standard static steady strict strong suitable supported surprising technical temporary
thin tidy tiny together transparent typical unclear uniform unique unknown unusual upcoming urgent
useful usual valid valuable verbose virtual visible warm weekly whole wide willing wrong young
""".split()

VERBS = """
accepts adapts adds adjusts affects allows announces answers applies approves archives asks assigns
attracts avoids balances blocks breaks brings builds calls cancels captures carries catches changes
checks chooses cleans clears closes collects combines compares completes confirms connects considers
contains continues controls converts copies corrects counts covers creates cuts debugs decides declares
defers defines delays deletes delivers demands describes designs detects discovers discusses displays
divides documents doubles downloads drives drops duplicates edits enables encourages ends ensures enters
estimates evaluates examines expands expects explains explores exports extends feeds fetches fills
filters finds finishes fits fixes follows forces forwards frees gathers generates gives groups guards
guides handles helps hides holds hosts identifies ignores imports improves includes increases indicates
informs inherits inspects installs introduces invites isolates joins judges keeps launches leads learns
leaves limits links lists loads locks logs maintains manages maps marks matches measures merges migrates
mirrors mixes monitors moves needs notices offers opens orders organises overrides owns packages parses
passes pauses performs picks places plans polishes posts prefers prepares presents preserves prevents
prints produces promotes proposes protects proves provides publishes pulls pushes questions queues
raises reaches reads rebuilds receives records recovers reduces refreshes refuses rejects releases
removes renames repairs repeats replaces reports requests requires resets resolves restarts restores
returns reuses reveals reviews rewrites runs samples saves scans schedules searches selects sends
separates serves shapes shares shows signs simplifies sorts splits sponsors starts stops stores studies
submits suggests supports surveys switches syncs tests tracks trains transfers translates triggers
trusts tunes unites unlocks updates upgrades uploads uses validates verifies views visits waits wants
warns watches welcomes works wraps writes
""".split()

ADVERBS = """
again almost already also always anyway automatically briefly carefully certainly clearly closely
completely constantly correctly daily directly early easily eventually exactly explicitly finally first
frequently fully generally gently gradually greatly hardly honestly immediately indeed initially instead
largely lately later locally manually mostly naturally nearly never normally now obviously occasionally
often once openly partly perhaps possibly practically precisely previously probably properly quickly
quietly rarely readily really recently regularly reliably remotely roughly safely seldom separately
shortly silently simply slowly smoothly sometimes soon specifically steadily still strictly strongly
suddenly surely temporarily then therefore today together tomorrow twice typically usually weekly well
""".split()

LINKS = "about above across after against along around before behind below between beyond by during for from in inside into near of on onto outside over past since through toward under until upon via with within without".split()

FIRST_NAMES = """
Ada Adrián Aisha Alan Amara Ana André Anika Anton Aoife Ari Barbara Ben Björn Camille Carlos Chen Chiara
Clara Daniel Daria David Diego Dilek Elena Eli Emeka Emma Erik Eva Fatima Felix Fiona Frédéric Gabriel
Grace Hana Hannah Hector Hiro Ian Ines Ingrid Iris Isaac Ivan Jan Jana Javier Jin Joana Jonas José Julia
Kai Karin Kenji Kim Lars Laura Leo Lina Lucía Łukasz Magda Marc Maria Matteo Maya Mei Mika Milan Mohamed
Nadia Nia Nikola Nina Noah Nora Olga Oscar Pablo Paula Pedro Petra Priya Rafael Ravi Rosa Ruth Sam Sara
Sofía Stefan Sven Tariq Tessa Theo Tomás Uma Vera Victor Wei Yara Yuki Zoë
""".split()

LAST_NAMES = """
Abebe Adeyemi Ahmed Almeida Andersen Bauer Becker Bennett Berg Bianchi Björk Brandt Carter Castillo Chen
Cohen Costa Dahl Davies Delgado Dubois Edwards Eriksson Fernández Ferrari Fischer Fleming Fournier
Fraser García Girard Gomes Grant Gruber Gupta Haddad Hansen Hartmann Herrera Hoffmann Horváth Hughes
Ibrahim Ito Ivanova Jansen Jensen Jiménez Johansson Kaplan Keller Khan Kim Kowalski Kozák Krüger Kumar
Lambert Larsen Laurent Lee Lehtonen López Lund Marino Martin Mäkinen Mendoza Meyer Moreau Morgan Moretti
Müller Murphy Nakamura Nguyen Nielsen Novák Nowak Núñez Oakley Okafor Olsen Ortega Osei Owens Park Patel
Pereira Petrov Popescu Quinn Ramos Reyes Ricci Rivera Romero Rossi Roy Sato Schmidt Schneider Silva
Singh Sokolov Sørensen Suzuki Tanaka Thomas Torres Tran Vargas Vasquez Vega Virtanen Vogel Wagner Walsh
Weber Wójcik Wong Wright Yamamoto Yilmaz Young Zhang Zimmermann
""".split()

TRACKS = [
    "Client", "Cloud and Server", "Community", "Design", "Development Tools", "Documentation",
    "Foundations", "Hardware", "Kernel", "Quality", "Security", "Translations",
]

ROOMS = [
    ("Grand Ballroom A", 300), ("Grand Ballroom B", 300), ("Junior Ballroom", 120),
    ("Atrium", 80), ("Library", 40), ("Terrace", 36), ("Boardroom", 24), ("Harbour View", 20),
]

TIMEZONES = [
    "Europe/Berlin", "America/Los_Angeles", "Europe/Budapest", "America/New_York", "Asia/Tokyo",
    "Europe/Copenhagen", "Australia/Sydney", "UTC",
]
