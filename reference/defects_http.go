package reference

var httpDefects = []Defect{
	{"http-redirect-relative-crash", "crashes on a redirect without a host", []string{"protocol.http-redirect-follow"}},
	{"http-redirect-long-crash", "crashes on a redirect longer than 512 bytes", []string{"protocol.http-redirect-long"}},
	{"http-redirect-endless", "follows redirects without end", []string{"protocol.http-redirect-loop"}},
	{"http-redirect-hammer", "begins anew at once after too many redirects", []string{"protocol.http-redirect-loop"}},
	{"http-redirect-downgrade", "follows redirects from https to http", []string{"security.http-redirect-downgrade"}},
	{"http-redirect-credentials", "sends its token wherever a redirect leads", []string{"security.http-redirect-credentials"}},
	{"http-chunked-refused", "does not understand chunked answers", []string{"protocol.http-body-chunked"}},
	{"http-no-length-crash", "crashes on an answer without a length", []string{"protocol.http-body-no-length"}},
	{"http-short-taken", "acts on half an answer", []string{"protocol.http-body-short"}},
	{"http-any-type", "looks for its document in whatever comes", []string{"protocol.http-body-wrong-type"}},
	{"http-pack-unverified", "takes any file for a language pack", []string{"protocol.http-body-wrong-type"}},
	{"http-range-appended", "appends a whole file to the half that it has, and keeps that", []string{"protocol.http-body-range"}},
	{"http-range-416-stuck", "asks for the same range again and again when it is refused", []string{"protocol.http-body-range"}},
	{"http-body-unbounded", "reads an answer of any size into memory", []string{"protocol.http-body-huge"}},
	{"http-headers-crash", "crashes on a head that does not fit its buffer", []string{"protocol.http-headers-big"}},
	{"http-401-hammer", "tries every 2 s while its token is refused", []string{"protocol.http-status-401"}},
	{"http-401-gives-up", "gives up for good when its token is refused", []string{"protocol.http-status-401"}},
}
