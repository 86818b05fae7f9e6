// Package judge is judging that several risks share.
package judge
